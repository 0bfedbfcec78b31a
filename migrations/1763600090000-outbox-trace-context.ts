import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets the handling of an event join the trace of the request that announced it (docs/operations/tracing.md). */
export class OutboxTraceContext1763600090000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Nullable and without a default: the table is not rewritten, and the version before this one goes on inserting.
    await queryRunner.query('ALTER TABLE outbox_events ADD COLUMN trace_context text');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE outbox_events DROP COLUMN trace_context');
  }
}
