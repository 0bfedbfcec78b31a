import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Payments of which the provider took another amount than the order's. */
export class DisputedPayments1763600130000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE payments
        ADD COLUMN charged_amount bigint,
        ADD COLUMN charged_currency text,
        DROP CONSTRAINT payments_status_check,
        ADD CONSTRAINT payments_status_check
          CHECK (status IN ('pending', 'succeeded', 'declined', 'unknown', 'disputed')) NOT VALID`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`UPDATE payments SET status = 'unknown' WHERE status = 'disputed'`);
    await queryRunner.query(`
      ALTER TABLE payments
        DROP CONSTRAINT payments_status_check,
        ADD CONSTRAINT payments_status_check
          CHECK (status IN ('pending', 'succeeded', 'declined', 'unknown')),
        DROP COLUMN charged_amount,
        DROP COLUMN charged_currency`);
  }
}
