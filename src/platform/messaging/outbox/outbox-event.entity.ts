import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * One announced event, or one job of a plain queue. Its life: waiting (`relayed_at` null), relayed (both times set), settled
 * (`redeliver_at` null again: every consumer has recorded it or has it among its dead letters), swept after `OUTBOX_RETENTION_HOURS`.
 * A job with a long delay begins as relayed: when it is due no consumer has recorded it, and so it waits for the relay.
 */
@Entity('outbox_events')
@Index('outbox_events_pending', ['position'], { where: 'relayed_at IS NULL' })
@Index('outbox_events_unsettled', ['redeliverAt'], { where: 'redeliver_at IS NOT NULL' })
export class OutboxEvent {
  /** UUIDv7, so that the sweep finds old rows at the start of the primary key. */
  @PrimaryColumn('uuid')
  id!: string;

  /** Order of announcement; the relay moves by it. */
  @Column({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' })
  position!: number;

  @Column('text')
  name!: string;

  /** The consumers that still need this event. Kept with the row, so that it means the same during a rolling deployment. */
  @Column('text', { array: true })
  consumers!: string[];

  @Column('json')
  payload!: object;

  @Column('text', { nullable: true })
  key!: string | null;

  @Column('text', { name: 'request_id', nullable: true })
  requestId!: string | null;

  /** Of a plain job: its options for BullMQ. Null for an event. */
  @Column('json', { nullable: true })
  options!: object | null;

  /** `traceparent` (W3C Trace Context) of the span in which it was announced, when that is recorded. */
  @Column('text', { name: 'trace_context', nullable: true })
  traceContext!: string | null;

  @Column('timestamp with time zone', { name: 'occurred_at', precision: 3, default: () => 'now()' })
  occurredAt!: Date;

  @Column('timestamp with time zone', { name: 'relayed_at', precision: 3, nullable: true })
  relayedAt!: Date | null;

  @Column('integer', { name: 'relay_attempts', default: 0 })
  relayAttempts!: number;

  /** When it is relayed again unless every consumer is done with it by then. */
  @Column('timestamp with time zone', { name: 'redeliver_at', precision: 3, nullable: true })
  redeliverAt!: Date | null;
}
