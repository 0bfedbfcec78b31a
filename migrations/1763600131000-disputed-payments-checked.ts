import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Checks all payments in a transaction of its own: with the ALTER before it, nobody could read them meanwhile. */
export class DisputedPaymentsChecked1763600131000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE payments VALIDATE CONSTRAINT payments_status_check');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE payments
        DROP CONSTRAINT payments_status_check,
        ADD CONSTRAINT payments_status_check
          CHECK (status IN ('pending', 'succeeded', 'declined', 'unknown', 'disputed')) NOT VALID`);
  }
}
