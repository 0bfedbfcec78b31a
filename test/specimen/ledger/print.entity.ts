import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A statement on paper. */
@Entity('prints')
export class Print {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'account_id' })
  accountId!: string;

  /** 0 until the job has printed it. */
  @Column('integer')
  copies!: number;
}
