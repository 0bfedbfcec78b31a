import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Outbox, inbox and dead letters (docs/decisions/0003-outbox-inbox.md). */
export class Messaging1763600010000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE outbox_events (
        id uuid PRIMARY KEY,
        position bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
        name text NOT NULL,
        consumers text[] NOT NULL,
        payload json NOT NULL,
        key text,
        request_id text,
        occurred_at timestamptz(3) NOT NULL DEFAULT now(),
        relayed_at timestamptz(3),
        relay_attempts integer NOT NULL DEFAULT 0,
        redeliver_at timestamptz(3)
      )
    `);
    // Every row is updated twice (relayed, settled) and deleted a day later: vacuum early, or the small indexes below bloat.
    await queryRunner.query(`
      ALTER TABLE outbox_events SET (
        autovacuum_vacuum_scale_factor = 0.02,
        autovacuum_vacuum_insert_scale_factor = 0.1,
        autovacuum_analyze_scale_factor = 0.05
      )
    `);
    await queryRunner.query(`
      CREATE INDEX outbox_events_pending ON outbox_events (position) WHERE relayed_at IS NULL
    `);
    await queryRunner.query(`
      CREATE INDEX outbox_events_unsettled ON outbox_events (redeliver_at) WHERE redeliver_at IS NOT NULL
    `);
    await queryRunner.query(`
      CREATE TABLE inbox (
        event_id uuid NOT NULL,
        consumer text NOT NULL,
        handled_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (event_id, consumer)
      )
    `);
    await queryRunner.query(`
      CREATE TABLE dead_letters (
        id uuid PRIMARY KEY,
        event_id uuid NOT NULL,
        consumer text NOT NULL,
        name text NOT NULL,
        payload json NOT NULL,
        key text,
        request_id text,
        occurred_at timestamptz(3) NOT NULL,
        reason text NOT NULL,
        stack text,
        attempts integer NOT NULL,
        failed_at timestamptz(3) NOT NULL DEFAULT now(),
        replayed_at timestamptz(3)
      )
    `);
    await queryRunner.query(`
      CREATE UNIQUE INDEX dead_letters_open ON dead_letters (event_id, consumer) WHERE replayed_at IS NULL
    `);
    await queryRunner.query(`
      CREATE INDEX dead_letters_waiting ON dead_letters (id) WHERE replayed_at IS NULL
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE dead_letters');
    await queryRunner.query('DROP TABLE inbox');
    await queryRunner.query('DROP TABLE outbox_events');
  }
}
