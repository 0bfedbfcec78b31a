import { Check, Column, Entity, PrimaryColumn, UpdateDateColumn, VersionColumn } from 'typeorm';

/** An article for sale, with its stock. */
@Entity('products')
@Check('products_price_amount_check', 'price_amount >= 0')
@Check('products_stock_check', 'stock >= 0')
export class Product {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'products_pkey' })
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  description!: string;

  /** In the minor unit of `currency`. */
  @Column('bigint', { name: 'price_amount' })
  priceAmount!: number;

  /** ISO 4217. */
  @Column('char', { length: 3 })
  currency!: string;

  /** The quantity that can still be ordered: reserved pieces are already subtracted. */
  @Column('integer')
  stock!: number;

  /** Counts every change, reservations included: the ETag, and the version that the cache compares. */
  @VersionColumn({ default: 1 })
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
