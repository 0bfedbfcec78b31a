import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Orders1763600050000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE orders (
        id uuid NOT NULL,
        user_id uuid NOT NULL,
        status text NOT NULL,
        item_count smallint NOT NULL,
        total_amount bigint NOT NULL,
        currency character(3) NOT NULL,
        payment_id uuid,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        CONSTRAINT orders_pkey PRIMARY KEY (id),
        CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT,
        CONSTRAINT orders_status_check CHECK (status IN ('pending', 'paid', 'fulfilled', 'cancelled'))
      )`);
    // Pages of one customer's orders, newest first: ids are in order of time, and an index is read backwards as well.
    await queryRunner.query('CREATE INDEX orders_user_id_id_idx ON orders (user_id, id)');
    await queryRunner.query(`
      CREATE TABLE order_items (
        order_id uuid NOT NULL,
        line smallint NOT NULL,
        product_id uuid NOT NULL,
        name text NOT NULL,
        quantity integer NOT NULL,
        unit_price bigint NOT NULL,
        CONSTRAINT order_items_pkey PRIMARY KEY (order_id, line),
        CONSTRAINT order_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
        CONSTRAINT order_items_product_id_fkey FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE RESTRICT,
        CONSTRAINT order_items_quantity_check CHECK (quantity > 0)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE order_items');
    await queryRunner.query('DROP TABLE orders');
  }
}
