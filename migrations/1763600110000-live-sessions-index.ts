import type { MigrationInterface, QueryRunner } from 'typeorm';
import { buildIndex, dropIndex } from './lib/build-index.ts';

/** Finds the live sessions of a user among any number that were ended lately: each login counts them. */
export class LiveSessionsIndex1763600110000 implements MigrationInterface {
  transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await buildIndex(queryRunner, 'sessions_live_idx', 'ON sessions (user_id, id) WHERE revoked_at IS NULL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await dropIndex(queryRunner, 'sessions_live_idx');
  }
}
