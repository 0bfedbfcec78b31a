import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets jobs of plain queues go through the outbox, with their options (docs/decisions/0012-plain-queues.md). */
export class PlainJobs1763600150000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Nullable and without a default: the table is not rewritten, and the version before this one goes on inserting.
    await queryRunner.query('ALTER TABLE outbox_events ADD COLUMN options json');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE outbox_events DROP COLUMN options');
  }
}
