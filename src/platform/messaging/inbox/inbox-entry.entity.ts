import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Records that a consumer has handled an event; swept together with the event. */
@Entity('inbox')
export class InboxEntry {
  @PrimaryColumn('uuid', { name: 'event_id' })
  eventId!: string;

  @PrimaryColumn('text')
  consumer!: string;

  @Column('timestamp with time zone', { name: 'handled_at', precision: 3, default: () => 'now()' })
  handledAt!: Date;
}
