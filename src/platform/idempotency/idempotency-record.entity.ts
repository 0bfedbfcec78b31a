import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The outcome of the request with an Idempotency-Key. `status` is null while its work is still running. */
@Entity('idempotency_records')
export class IdempotencyRecord {
  /** Caller and route. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_records_pkey' })
  scope!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_records_pkey' })
  key!: string;

  @Column('text')
  fingerprint!: string;

  @Column('smallint', { nullable: true })
  status!: number | null;

  @Column('json', { nullable: true })
  headers!: Record<string, string> | null;

  /** The body as it was sent: text, because json types may reorder and reformat. */
  @Column('text', { nullable: true })
  body!: string | null;

  /** Id of what was started, while it is running: a takeover continues with it instead of starting another. */
  @Column('text', { nullable: true })
  reference!: string | null;

  /** While it is running: when its process counts as dead. */
  @Column({ type: 'timestamptz', name: 'locked_until', precision: 3, nullable: true })
  lockedUntil!: Date | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Index('idempotency_records_expires_at_idx')
  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;
}
