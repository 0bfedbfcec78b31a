import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/**
 * `pending` until its owner has confirmed the upload. A deleted one is kept for the sweep, because its file may arrive later: by a URL
 * that is still valid.
 */
export type PictureStatus = 'pending' | 'stored' | 'deleted';

/** A picture of a user, such as of a damaged delivery. Its file is an object, `pictures/<id>`. */
@Entity('pictures')
@Check('pictures_status_check', `status IN ('pending', 'stored', 'deleted')`)
@Index('pictures_user_id_idx', ['userId'])
@Index('pictures_not_stored_idx', ['createdAt'], { where: `status <> 'stored'` })
export class Picture {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pictures_pkey' })
  id!: string;

  @ForeignKey('users', { name: 'pictures_user_id_fkey' })
  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text', { name: 'content_type' })
  contentType!: string;

  /** In bytes. */
  @Column('integer')
  size!: number;

  @Column('text')
  status!: PictureStatus;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
