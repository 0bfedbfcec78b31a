import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('payees')
export class Payee {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'owner_id' })
  ownerId!: string;

  @Column('text')
  name!: string;

  @Column('integer', { default: 0 })
  place!: number;

  /** How often the job has run. */
  @Column('integer', { default: 0 })
  checks!: number;
}
