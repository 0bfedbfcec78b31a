import { Column, Entity, ForeignKey, Index, PrimaryColumn, VersionColumn } from 'typeorm';

/** A delivery address of a customer. */
@Entity('addresses')
@Index('addresses_user_id_id_idx', ['userId', 'id'])
export class Address {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'addresses_pkey' })
  id!: string;

  @ForeignKey('users', { name: 'addresses_user_id_fkey', onDelete: 'CASCADE' })
  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  recipient!: string;

  @Column('text')
  street!: string;

  @Column('text', { name: 'postal_code' })
  postalCode!: string;

  @Column('text')
  city!: string;

  /** ISO 3166-1 alpha-2. */
  @Column('char', { length: 2 })
  country!: string;

  /** Counts every change: the ETag. */
  @VersionColumn()
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
