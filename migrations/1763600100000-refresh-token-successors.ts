import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets a refresh be retried until one of the tokens that it gave out is used (docs/decisions/0004-sessions-and-tokens.md). */
export class RefreshTokenSuccessors1763600100000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Constant defaults: the table is not rewritten, and the version before this one goes on inserting.
    await queryRunner.query(`
      ALTER TABLE sessions
        ADD COLUMN used_hash bytea,
        ADD COLUMN successor_hashes bytea[] NOT NULL DEFAULT '{}'
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE sessions DROP COLUMN used_hash, DROP COLUMN successor_hashes');
  }
}
