import type { MigrationInterface, QueryRunner } from 'typeorm';
import { buildIndex, dropIndex } from './lib/build-index.ts';

/** The sweep of old exports looks for those without progress, no longer for those created long ago. */
export class ExportProgressIndex1763600141000 implements MigrationInterface {
  transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await buildIndex(queryRunner, 'exports_progressed_at_idx', 'ON exports (progressed_at)');
    await dropIndex(queryRunner, 'exports_created_at_idx');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await buildIndex(queryRunner, 'exports_created_at_idx', 'ON exports (created_at)');
    await dropIndex(queryRunner, 'exports_progressed_at_idx');
  }
}
