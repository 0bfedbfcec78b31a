import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tables of the ledger (test/specimen): in tests only, after the migrations of the product. */
export class Ledger1763700000000 implements MigrationInterface {
  async up(queryRunner: Pick<QueryRunner, 'query'>): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE accounts (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL,
        name text NOT NULL,
        note text NOT NULL DEFAULT '',
        balance bigint NOT NULL CHECK (balance >= 0),
        currency char(3) NOT NULL,
        version integer NOT NULL DEFAULT 1,
        updated_at timestamptz(3) NOT NULL DEFAULT now()
      )
    `);
    await queryRunner.query(`
      CREATE TABLE transfers (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL,
        from_id uuid NOT NULL REFERENCES accounts,
        parts json NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now()
      )
    `);
    await queryRunner.query('CREATE INDEX transfers_of_owner ON transfers (owner_id, id)');
    await queryRunner.query('CREATE INDEX transfers_from ON transfers (from_id, id)');
    // Without a key: a receipt that is written twice shall be seen.
    await queryRunner.query('CREATE TABLE receipts (transfer_id uuid NOT NULL, amount bigint NOT NULL)');
    await queryRunner.query(`
      CREATE TABLE withdrawals (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL,
        account_id uuid NOT NULL REFERENCES accounts,
        amount bigint NOT NULL,
        currency char(3) NOT NULL,
        method text NOT NULL,
        status text NOT NULL DEFAULT 'pending',
        settle_at timestamptz(3) NOT NULL
      )
    `);
    await queryRunner.query(`
      CREATE TABLE prints (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts,
        copies integer NOT NULL
      )
    `);
    await queryRunner.query(`
      CREATE TABLE payees (
        id uuid PRIMARY KEY DEFAULT uuidv7(),
        owner_id uuid NOT NULL,
        name text NOT NULL,
        place integer NOT NULL DEFAULT 0,
        checks integer NOT NULL DEFAULT 0,
        UNIQUE (owner_id, name)
      )
    `);
  }

  async down(queryRunner: Pick<QueryRunner, 'query'>): Promise<void> {
    await queryRunner.query('DROP TABLE payees, prints, withdrawals, receipts, transfers, accounts');
  }
}
