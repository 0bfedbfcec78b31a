import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Exports1763600080000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE exports (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        type text NOT NULL,
        all_users boolean NOT NULL,
        range_from timestamptz(3),
        range_to timestamptz(3),
        status text NOT NULL,
        attempt integer NOT NULL DEFAULT 0,
        rows_written bigint NOT NULL DEFAULT 0,
        rows_total bigint NOT NULL DEFAULT 0,
        chunk_count integer NOT NULL DEFAULT 0,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        completed_at timestamptz(3),
        CONSTRAINT exports_pkey PRIMARY KEY (id),
        CONSTRAINT exports_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT exports_status_check CHECK (status IN ('queued', 'running', 'completed', 'failed'))
      )
    `);
    await queryRunner.query('CREATE INDEX exports_user_id_idx ON exports (user_id)');
    // What is unfinished is counted on every new export, what is old is looked for by the sweep.
    await queryRunner.query(
      `CREATE INDEX exports_unfinished_idx ON exports (created_at) WHERE status IN ('queued', 'running')`,
    );
    await queryRunner.query('CREATE INDEX exports_created_at_idx ON exports (created_at)');
    await queryRunner.query(`
      CREATE TABLE export_chunks (
        export_id uuid NOT NULL,
        attempt integer NOT NULL,
        seq integer NOT NULL,
        data bytea NOT NULL,
        CONSTRAINT export_chunks_pkey PRIMARY KEY (export_id, attempt, seq),
        CONSTRAINT export_chunks_export_id_fkey FOREIGN KEY (export_id) REFERENCES exports (id) ON DELETE CASCADE
      )
    `);
    // The data are compressed already: PostgreSQL must not spend time on trying again.
    await queryRunner.query('ALTER TABLE export_chunks ALTER COLUMN data SET STORAGE EXTERNAL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE export_chunks');
    await queryRunner.query('DROP TABLE exports');
  }
}
