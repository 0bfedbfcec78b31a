import { Check, Column, Entity, PrimaryColumn, Unique, UpdateDateColumn } from 'typeorm';
import type { Role } from '../../platform/context/index.js';

@Entity('users')
@Unique('users_email_key', ['email'])
@Check('users_role_check', `role IN ('customer', 'admin')`)
export class User {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'users_pkey' })
  id!: string;

  /** In lower case and NFC (`normaliseEmail`): one address, one account. */
  @Column('text')
  email!: string;

  @Column('text')
  name!: string;

  @Column('text', { default: 'customer' })
  role!: Role;

  /** PHC string. */
  @Column('text', { name: 'password_hash' })
  passwordHash!: string;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  @UpdateDateColumn({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;
}
