import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, LessThan, Raw, Repository } from 'typeorm';
import { Database } from '../../platform/database/index.js';
import type { Role } from '../../platform/context/index.js';
import { Session } from './session.entity.js';

export interface NewSession {
  id: string;
  userId: string;
  familyHash: Buffer;
  tokenHash: Buffer;
  userAgent: string | null;
  ipAddress: string | null;
  ttlSeconds: number;
  /** Live sessions that the user may have, this one included. */
  maxPerUser: number;
}

/** A session whose refresh token has just been exchanged, with the current role of its user. */
export interface RotatedSession {
  id: string;
  userId: string;
  role: Role;
  /** Whether the token had been exchanged before, and none of its successors was used since. */
  retried: boolean;
}

/** Successors of one token that are valid at the same time: retries and tabs of one client, with some reserve. */
const MAX_SUCCESSORS = 16;

const LIVE = 'revoked_at IS NULL AND expires_at > now()';
const LIVE_ROWS = { revokedAt: IsNull(), expiresAt: Raw((time) => `${time} > now()`) };

/** Rows of `sessions`; login and refresh in named SQL. All times are PostgreSQL's: the processes' clocks may differ. */
@Injectable()
export class SessionsRepository {
  constructor(
    private readonly database: Database,
    @InjectRepository(Session) private readonly rows: Repository<Session>,
  ) {}

  /**
   * Begins a session, and ends the user's least recently used ones when there are too many.
   * @returns the ids of those
   */
  async insert(session: NewSession): Promise<string[]> {
    const { id, userId, familyHash, tokenHash, userAgent, ipAddress, ttlSeconds, maxPerUser } = session;
    const ended = await this.database.query<{ id: string }>({
      name: 'sessions-insert',
      // Of two logins at once neither waits for the sessions that the other one ends; the next login ends the rest.
      text: `WITH begun AS (
          INSERT INTO sessions (id, user_id, family_hash, token_hash, user_agent, ip_address, expires_at)
          VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
        ), surplus AS (
          SELECT id FROM sessions WHERE user_id = $2 AND ${LIVE}
          ORDER BY last_used_at DESC, id DESC OFFSET $8
        )
        UPDATE sessions SET revoked_at = now() WHERE id IN (
          SELECT id FROM sessions WHERE id IN (SELECT id FROM surplus) FOR UPDATE SKIP LOCKED)
        RETURNING id`,
      values: [id, userId, familyHash, tokenHash, userAgent, ipAddress, ttlSeconds, maxPerUser - 1],
    });
    return ended.map((row) => row.id);
  }

  /**
   * Exchanges a refresh token of a live session: the one of the login, a successor of the last one that was exchanged, or that
   * one again while none of its successors has been used. Several exchanges of the same token at once each get their own
   * successor: the later ones wait for the row's lock and check again.
   *
   * A version without successors writes `token_hash` alone; `used_hash` then belongs to an older token and no longer counts.
   */
  rotate(
    used: { familyHash: Buffer; tokenHash: Buffer },
    nextTokenHash: Buffer,
    ttlSeconds: number,
  ): Promise<RotatedSession | undefined> {
    return this.database.queryOne({
      name: 'sessions-rotate',
      text: `UPDATE sessions s
        SET token_hash = $3, used_hash = $2,
          successor_hashes = CASE WHEN s.used_hash = $2
            THEN (ARRAY[$3::bytea] || s.successor_hashes)[1:${MAX_SUCCESSORS}] ELSE ARRAY[$3::bytea] END,
          last_used_at = now(), expires_at = now() + make_interval(secs => $4)
        FROM users u
        WHERE s.family_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.id = s.user_id
          AND (s.token_hash = $2
            OR (s.token_hash = ANY (s.successor_hashes) AND (s.used_hash = $2 OR $2 = ANY (s.successor_hashes))))
        RETURNING s.id, u.id AS "userId", u.role, cardinality(s.successor_hashes) > 1 AS retried`,
      values: [used.familyHash, used.tokenHash, nextTokenHash, ttlSeconds],
    });
  }

  async isLive(familyHash: Buffer): Promise<boolean> {
    return this.rows.existsBy({ familyHash, ...LIVE_ROWS });
  }

  /** Ends the live session of a family. @returns it, or undefined when there is none. */
  revokeFamily(familyHash: Buffer): Promise<{ id: string; userId: string } | undefined> {
    return this.database.queryOne({
      name: 'sessions-revoke-family',
      text: `UPDATE sessions SET revoked_at = now() WHERE family_hash = $1 AND ${LIVE}
        RETURNING id, user_id AS "userId"`,
      values: [familyHash],
    });
  }

  /** Ends a live session of this user. @returns whether there was one. */
  async revoke(id: string, userId: string): Promise<boolean> {
    const { affected } = await this.rows.update({ id, userId, ...LIVE_ROWS }, { revokedAt: () => 'now()' });
    return affected === 1;
  }

  /** Live sessions of a user, newest first; one row more than `limit` when there are more. */
  page(userId: string, limit: number, before?: string): Promise<Session[]> {
    return this.rows.find({
      where: { userId, ...LIVE_ROWS, ...(before !== undefined && { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
  }

  /** Ids of the sessions that were revoked in the last `seconds`, oldest first. */
  async revokedWithin(seconds: number): Promise<string[]> {
    const since = Raw((time) => `${time} > now() - make_interval(secs => :seconds)`, { seconds });
    const rows = await this.rows.find({
      select: { id: true },
      where: { revokedAt: since },
      order: { revokedAt: 'ASC' },
    });
    return rows.map(({ id }) => id);
  }

  /**
   * Deletes sessions that have ended at least `graceSeconds` ago.
   * @param limit the most rows of each kind, expired and revoked, so that no statement takes long
   * @returns how many were deleted
   */
  deleteEnded(graceSeconds: number, limit: number): Promise<number> {
    return this.database.execute({
      text: `DELETE FROM sessions WHERE id IN (
        (SELECT id FROM sessions WHERE expires_at < now() - make_interval(secs => $1) LIMIT $2)
        UNION
        (SELECT id FROM sessions WHERE revoked_at < now() - make_interval(secs => $1) LIMIT $2))`,
      values: [graceSeconds, limit],
    });
  }
}
