import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Payments1763600060000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE payments (
        id uuid NOT NULL,
        order_id uuid NOT NULL,
        user_id uuid NOT NULL,
        status text NOT NULL,
        amount bigint NOT NULL,
        currency character(3) NOT NULL,
        payment_method text NOT NULL,
        charge_id text,
        decline_code text,
        settled_by text,
        charging_until timestamptz(3) NOT NULL,
        next_check_at timestamptz(3) NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT payments_pkey PRIMARY KEY (id),
        CONSTRAINT payments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE RESTRICT,
        CONSTRAINT payments_status_check CHECK (status IN ('pending', 'succeeded', 'declined', 'unknown'))
      )`);
    // An order is charged at most once, whatever the code above believes.
    await queryRunner.query(`
      CREATE UNIQUE INDEX payments_one_live_per_order_idx ON payments (order_id)
      WHERE status <> 'declined'`);
    // What the reconciliation looks for: few rows, whatever the table grows to.
    await queryRunner.query(`
      CREATE INDEX payments_unsettled_idx ON payments (next_check_at)
      WHERE status IN ('pending', 'unknown')`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE payments');
  }
}
