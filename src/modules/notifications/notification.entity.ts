import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * `pending`: not yet accepted by the mail server, retried by its job (or by a replay, when the job became a dead letter). `sent`:
 * the mail server accepted it. `failed`: the mail server rejected it permanently.
 */
export type NotificationStatus = 'pending' | 'sent' | 'failed';

/** One mail that an event has caused. */
@Entity('notifications')
@Unique('notifications_event_id_key', ['eventId'])
@Index('notifications_user_id_id_idx', ['userId', 'id'])
@Check('notifications_status_check', `status IN ('pending', 'sent', 'failed')`)
export class Notification {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'notifications_pkey' })
  id!: string;

  @Column('uuid', { name: 'event_id' })
  eventId!: string;

  @ForeignKey('users', { name: 'notifications_user_id_fkey', onDelete: 'CASCADE' })
  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  kind!: string;

  @Column('text')
  subject!: string;

  @Column('text')
  recipient!: string;

  @Column('text')
  status!: NotificationStatus;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'sent_at', precision: 3, nullable: true })
  sentAt!: Date | null;

  /** The mail server's reply when it rejected the mail. */
  @Column('text', { nullable: true })
  failure!: string | null;
}
