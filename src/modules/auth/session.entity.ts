import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * One login of one user on one device. It lives as long as it is refreshed, and its refresh tokens are one family.
 */
@Entity('sessions')
@Unique('sessions_family_hash_key', ['familyHash'])
@Index('sessions_user_id_id_idx', ['userId', 'id'])
@Index('sessions_live_idx', ['userId', 'id'], { where: 'revoked_at IS NULL' })
@Index('sessions_revoked_at_idx', ['revokedAt'], { where: 'revoked_at IS NOT NULL' })
@Index('sessions_expires_at_idx', ['expiresAt'])
export class Session {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'sessions_pkey' })
  id!: string;

  @ForeignKey('users', { name: 'sessions_user_id_fkey', onDelete: 'CASCADE' })
  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** SHA-256 of the part that all refresh tokens of the session share. */
  @Column('bytea', { name: 'family_hash' })
  familyHash!: Buffer;

  /** SHA-256 of the part that only the newest one has. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  /** `tokenHash` of the token that was exchanged last; until one of its successors is used, it may be exchanged again. */
  @Column('bytea', { name: 'used_hash', nullable: true })
  usedHash!: Buffer | null;

  /** `tokenHash` of each token that was issued for that one, newest first. */
  @Column('bytea', { name: 'successor_hashes', array: true, default: () => "'{}'" })
  successorHashes!: Buffer[];

  /** The client's `User-Agent` at login. */
  @Column('text', { name: 'user_agent', nullable: true })
  userAgent!: string | null;

  /** Where the login came from. */
  @Column('inet', { name: 'ip_address', nullable: true })
  ipAddress!: string | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;

  /** Login or last refresh. */
  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, default: () => 'now()' })
  lastUsedAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt!: Date | null;
}
