import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** A piece of a file; the pieces of one attempt, in order of `seq`, are one gzip file (RFC 1952). */
@Entity('export_chunks')
export class ExportChunk {
  @ForeignKey('exports', { name: 'export_chunks_export_id_fkey', onDelete: 'CASCADE' })
  @PrimaryColumn('uuid', { name: 'export_id', primaryKeyConstraintName: 'export_chunks_pkey' })
  exportId!: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'export_chunks_pkey' })
  attempt!: number;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'export_chunks_pkey' })
  seq!: number;

  @Column('bytea')
  data!: Buffer;
}
