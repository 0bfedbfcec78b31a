import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Notifications1763600070000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE notifications (
        id uuid NOT NULL,
        event_id uuid NOT NULL,
        user_id uuid NOT NULL,
        kind text NOT NULL,
        subject text NOT NULL,
        recipient text NOT NULL,
        status text NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        sent_at timestamptz(3),
        failure text,
        CONSTRAINT notifications_pkey PRIMARY KEY (id),
        CONSTRAINT notifications_event_id_key UNIQUE (event_id),
        CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT notifications_status_check CHECK (status IN ('pending', 'sent', 'failed'))
      )
    `);
    // The own list, newest first: ids are UUIDv7, so their order is the order of time.
    await queryRunner.query('CREATE INDEX notifications_user_id_id_idx ON notifications (user_id, id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE notifications');
  }
}
