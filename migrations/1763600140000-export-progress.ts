import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Exports age by their last progress: one that takes long is not old. Those that exist count from now. */
export class ExportProgress1763600140000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // A default that is the same for all rows is not written into them (PostgreSQL 11 and later): no rewrite.
    await queryRunner.query(
      'ALTER TABLE exports ADD COLUMN progressed_at timestamptz(3) NOT NULL DEFAULT now()',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE exports DROP COLUMN progressed_at');
  }
}
