import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Pictures1763600160000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // No cascade: the file of a row that vanished unnoticed would stay forever.
    await queryRunner.query(`
      CREATE TABLE pictures (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        content_type text NOT NULL,
        size integer NOT NULL,
        status text NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT pictures_pkey PRIMARY KEY (id),
        CONSTRAINT pictures_status_check CHECK (status IN ('pending', 'stored', 'deleted')),
        CONSTRAINT pictures_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
      )
    `);
    await queryRunner.query('CREATE INDEX pictures_user_id_idx ON pictures (user_id)');
    await queryRunner.query(
      `CREATE INDEX pictures_not_stored_idx ON pictures (created_at) WHERE status <> 'stored'`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE pictures');
  }
}
