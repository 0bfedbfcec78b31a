import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keeps the options of a plain job that became a dead letter. Apart from the change of the outbox: each locks one table. */
export class PlainJobsDeadLetters1763600151000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // There already where an earlier draft of PlainJobs was applied.
    await queryRunner.query('ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS options json');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE dead_letters DROP COLUMN options');
  }
}
