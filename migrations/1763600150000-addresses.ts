import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Addresses1763600150000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE addresses (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        recipient text NOT NULL,
        street text NOT NULL,
        postal_code text NOT NULL,
        city text NOT NULL,
        country char(2) NOT NULL,
        version integer NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT addresses_pkey PRIMARY KEY (id),
        CONSTRAINT addresses_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
      )
    `);
    // A customer's own list, newest first: ids are UUIDv7, so their order is the order of time.
    await queryRunner.query('CREATE INDEX addresses_user_id_id_idx ON addresses (user_id, id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE addresses');
  }
}
