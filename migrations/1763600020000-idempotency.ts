import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Idempotency1763600020000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE idempotency_records (
        scope text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        status smallint,
        headers json,
        body text,
        reference text,
        locked_until timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        expires_at timestamptz(3) NOT NULL,
        CONSTRAINT idempotency_records_pkey PRIMARY KEY (scope, key)
      )`);
    await queryRunner.query(
      'CREATE INDEX idempotency_records_expires_at_idx ON idempotency_records (expires_at)',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE idempotency_records');
  }
}
