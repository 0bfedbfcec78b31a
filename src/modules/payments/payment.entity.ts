import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { PaymentStatus } from './payment-status.js';

/** One attempt to pay an order. Its id is the idempotency key of the charge at the provider. */
@Entity('payments')
@Check('payments_status_check', `status IN ('pending', 'succeeded', 'declined', 'unknown', 'disputed')`)
@Index('payments_one_live_per_order_idx', ['orderId'], { unique: true, where: `status <> 'declined'` })
@Index('payments_unsettled_idx', ['nextCheckAt'], { where: `status IN ('pending', 'unknown')` })
export class Payment {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'payments_pkey' })
  id!: string;

  @ForeignKey('orders', { name: 'payments_order_id_fkey', onDelete: 'RESTRICT' })
  @Column('uuid', { name: 'order_id' })
  orderId!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  status!: PaymentStatus;

  @Column('bigint')
  amount!: number;

  @Column('character', { length: 3 })
  currency!: string;

  @Column('text', { name: 'payment_method' })
  paymentMethod!: string;

  /** The provider's name for the charge, once it is known. */
  @Column('text', { name: 'charge_id', nullable: true })
  chargeId!: string | null;

  /** The amount that the provider has taken, when it is not `amount`. */
  @Column('bigint', { name: 'charged_amount', nullable: true })
  chargedAmount!: number | null;

  @Column('text', { name: 'charged_currency', nullable: true })
  chargedCurrency!: string | null;

  @Column('text', { name: 'decline_code', nullable: true })
  declineCode!: string | null;

  /** How the outcome became known: `answer`, `webhook <event id>`, `reconciliation` or `operator`. */
  @Column('text', { name: 'settled_by', nullable: true })
  settledBy!: string | null;

  /** After this time no request sends this charge to the provider. */
  @Column({ type: 'timestamptz', name: 'charging_until', precision: 3 })
  chargingUntil!: Date;

  /** When the reconciliation checks it next, while it is not settled. */
  @Column({ type: 'timestamptz', name: 'next_check_at', precision: 3 })
  nextCheckAt!: Date;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
