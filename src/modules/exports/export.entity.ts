import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

export type ExportStatus = 'queued' | 'running' | 'completed' | 'failed';

/** A requested file, and its progress. */
@Entity('exports')
@Index('exports_user_id_idx', ['userId'])
@Index('exports_unfinished_idx', ['createdAt'], { where: `status IN ('queued', 'running')` })
@Index('exports_progressed_at_idx', ['progressedAt'])
@Check('exports_status_check', `status IN ('queued', 'running', 'completed', 'failed')`)
export class Export {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'exports_pkey' })
  id!: string;

  @ForeignKey('users', { name: 'exports_user_id_fkey', onDelete: 'CASCADE' })
  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  type!: string;

  /** Decided by the caller's role at the time of the request: all customers' rows, or the caller's own. */
  @Column('boolean', { name: 'all_users' })
  allUsers!: boolean;

  @Column({ type: 'timestamptz', name: 'range_from', precision: 3, nullable: true })
  from!: Date | null;

  @Column({ type: 'timestamptz', name: 'range_to', precision: 3, nullable: true })
  to!: Date | null;

  @Column('text')
  status!: ExportStatus;

  /** Number of the run that may write; each run takes the next one, which excludes all earlier runs. */
  @Column('integer', { default: 0 })
  attempt!: number;

  @Column('bigint', { name: 'rows_written', default: 0 })
  rowsWritten!: number;

  @Column('bigint', { name: 'rows_total', default: 0 })
  rowsTotal!: number;

  /** How many chunks the file has, known when it is complete. */
  @Column('integer', { name: 'chunk_count', default: 0 })
  chunkCount!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  /** When it was requested, begun, last written to, or completed. */
  @Column({ type: 'timestamptz', name: 'progressed_at', precision: 3, default: () => 'now()' })
  progressedAt!: Date;

  @Column({ type: 'timestamptz', name: 'completed_at', precision: 3, nullable: true })
  completedAt!: Date | null;
}
