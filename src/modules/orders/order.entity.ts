import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { OrderStatus } from './order-status.js';

@Entity('orders')
@Index('orders_user_id_id_idx', ['userId', 'id'])
@Check('orders_status_check', `status IN ('pending', 'paid', 'fulfilled', 'cancelled')`)
export class Order {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'orders_pkey' })
  id!: string;

  @ForeignKey('users', { name: 'orders_user_id_fkey', onDelete: 'RESTRICT' })
  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  status!: OrderStatus;

  @Column('smallint', { name: 'item_count' })
  itemCount!: number;

  @Column('bigint', { name: 'total_amount' })
  totalAmount!: number;

  @Column('character', { length: 3 })
  currency!: string;

  /**
   * The open payment of this order, or the one that has paid it. While it is set, no other payment can start and the order cannot
   * be cancelled.
   */
  @Column('uuid', { name: 'payment_id', nullable: true })
  paymentId!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
