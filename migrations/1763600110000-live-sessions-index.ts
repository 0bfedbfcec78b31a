import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Finds the live sessions of a user among any number that were ended lately: each login counts them. */
export class LiveSessionsIndex1763600110000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      'CREATE INDEX sessions_live_idx ON sessions (user_id, id) WHERE revoked_at IS NULL',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX sessions_live_idx');
  }
}
