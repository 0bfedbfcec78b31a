import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Products1763600040000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE products (
        id uuid NOT NULL,
        name text NOT NULL,
        description text NOT NULL,
        price_amount bigint NOT NULL,
        currency char(3) NOT NULL,
        stock integer NOT NULL,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT products_pkey PRIMARY KEY (id),
        CONSTRAINT products_price_amount_check CHECK (price_amount >= 0),
        CONSTRAINT products_stock_check CHECK (stock >= 0)
      ) WITH (fillfactor = 80)
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE products');
  }
}
