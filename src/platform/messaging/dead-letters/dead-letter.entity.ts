import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An event whose handling by one consumer failed permanently, with everything needed to replay it. */
@Entity('dead_letters')
@Index('dead_letters_open', ['eventId', 'consumer'], { unique: true, where: 'replayed_at IS NULL' })
@Index('dead_letters_waiting', ['id'], { where: 'replayed_at IS NULL' })
export class DeadLetter {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'event_id' })
  eventId!: string;

  @Column('text')
  consumer!: string;

  @Column('text')
  name!: string;

  @Column('json')
  payload!: object;

  /** Of a plain job; null for an event. */
  @Column('json', { nullable: true })
  options!: object | null;

  @Column('text', { nullable: true })
  key!: string | null;

  @Column('text', { name: 'request_id', nullable: true })
  requestId!: string | null;

  @Column('timestamp with time zone', { name: 'occurred_at', precision: 3 })
  occurredAt!: Date;

  @Column('text')
  reason!: string;

  /** The first lines of the stack. */
  @Column('text', { nullable: true })
  stack!: string | null;

  @Column('integer')
  attempts!: number;

  @Column('timestamp with time zone', { name: 'failed_at', precision: 3, default: () => 'now()' })
  failedAt!: Date;

  @Column('timestamp with time zone', { name: 'replayed_at', precision: 3, nullable: true })
  replayedAt!: Date | null;
}
