import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** One line of an order. Name and price are those of the moment it was placed. */
@Entity('order_items')
@Check('order_items_quantity_check', 'quantity > 0')
export class OrderItem {
  @ForeignKey('orders', { name: 'order_items_order_id_fkey', onDelete: 'CASCADE' })
  @PrimaryColumn('uuid', { name: 'order_id', primaryKeyConstraintName: 'order_items_pkey' })
  orderId!: string;

  /** From 1, in the order the customer gave. */
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'order_items_pkey' })
  line!: number;

  @ForeignKey('products', { name: 'order_items_product_id_fkey', onDelete: 'RESTRICT' })
  @Column('uuid', { name: 'product_id' })
  productId!: string;

  @Column('text')
  name!: string;

  @Column('integer')
  quantity!: number;

  /** Minor units of the order's currency. */
  @Column('bigint', { name: 'unit_price' })
  unitPrice!: number;
}
