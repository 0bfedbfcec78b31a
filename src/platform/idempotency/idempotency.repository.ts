import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Database, type LastStatement } from '../database/index.js';
import type { RecordedAnswer } from './answer.js';

/** The key's scope, the key, and the fingerprint of its payload. */
export interface RecordKey {
  scope: string;
  key: string;
  fingerprint: string;
}

/**
 * One attempt's right to work on a key's request. `until` is also its fencing token: an attempt is taken over only after it, and
 * the next one's is later, so no two attempts have the same. Every version of this program has always written this column, so an
 * older instance beside this one fences and is fenced as well.
 */
export interface Lease {
  /** Id of what was started. */
  reference: string;
  until: Date;
}

/** A record that has not expired. */
export interface FoundRecord {
  fingerprint: string;
  /** Null while the work is running. */
  status: number | null;
  headers: Record<string, string> | null;
  body: string | null;
  /** Of the running attempt. */
  reference: string | null;
  lockedUntil: Date | null;
  /** The work is running and not overdue. */
  locked: boolean;
}

/** Records of Idempotency-Keys. An expired record counts as absent everywhere, whether it is swept yet or not. */
@Injectable()
export class IdempotencyRepository {
  private readonly retentionHours: number;

  constructor(
    private readonly database: Database,
    @Inject(Settings) settings: Settings,
  ) {
    this.retentionHours = settings.idempotency.retentionHours;
  }

  /**
   * Locks the key for the open unit of work, without waiting for another holder. A separate statement: the record must be looked
   * up after it, with a snapshot that is newer than the lock.
   */
  async tryLock({ scope, key }: RecordKey): Promise<boolean> {
    const row = await this.database.queryOne<{ locked: boolean }>({
      name: 'idempotency-lock',
      text: 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked',
      values: [`${scope} ${key}`],
    });
    return row?.locked === true;
  }

  find({ scope, key }: RecordKey): Promise<FoundRecord | undefined> {
    return this.database.queryOne<FoundRecord>({
      name: 'idempotency-find',
      text: `SELECT fingerprint, status, headers, body, reference, locked_until AS "lockedUntil",
               coalesce(locked_until > now(), false) AS locked
             FROM idempotency_records WHERE scope = $1 AND key = $2 AND expires_at > now()`,
      values: [scope, key],
    });
  }

  /** The statement that records the answer of work that was done in this unit of work. */
  insertFinished({ scope, key, fingerprint }: RecordKey, answer: RecordedAnswer): LastStatement {
    return {
      name: 'idempotency-insert-finished',
      text: `INSERT INTO idempotency_records (scope, key, fingerprint, status, headers, body, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(hours => $7))
             ON CONFLICT (scope, key) DO UPDATE SET
               fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
               body = excluded.body, reference = NULL, locked_until = NULL,
               created_at = excluded.created_at, expires_at = excluded.expires_at`,
      values: [
        scope,
        key,
        fingerprint,
        answer.status,
        JSON.stringify(answer.headers),
        answer.body,
        this.retentionHours,
      ],
    };
  }

  /** Records that the work is running. Only for a key that has no record, or an expired one. */
  async insertRunning(
    { scope, key, fingerprint }: RecordKey,
    reference: string,
    leaseMs: number,
  ): Promise<Lease> {
    const row = await this.database.queryOne<{ until: Date }>({
      name: 'idempotency-insert-running',
      text: `INSERT INTO idempotency_records (scope, key, fingerprint, reference, locked_until, expires_at)
             VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), now() + make_interval(hours => $6))
             ON CONFLICT (scope, key) DO UPDATE SET
               fingerprint = excluded.fingerprint, status = NULL, headers = NULL, body = NULL,
               reference = excluded.reference, locked_until = excluded.locked_until,
               created_at = excluded.created_at, expires_at = excluded.expires_at
             RETURNING locked_until AS until`,
      values: [scope, key, fingerprint, reference, leaseMs / 1000, this.retentionHours],
    });
    return { reference, until: row!.until };
  }

  /**
   * Takes over an overdue attempt, which from then on can neither finish nor abandon anything.
   * @returns undefined when it has done so in the meantime, or has been taken over by another one
   */
  async takeOver({ scope, key }: RecordKey, overdue: Lease, leaseMs: number): Promise<Lease | undefined> {
    const row = await this.database.queryOne<{ until: Date }>({
      name: 'idempotency-take-over',
      text: `UPDATE idempotency_records
             SET locked_until = now() + make_interval(secs => $5), expires_at = now() + make_interval(hours => $6)
             WHERE scope = $1 AND key = $2 AND reference = $3 AND locked_until = $4 AND status IS NULL
             RETURNING locked_until AS until`,
      values: [scope, key, overdue.reference, overdue.until, leaseMs / 1000, this.retentionHours],
    });
    return row && { reference: overdue.reference, until: row.until };
  }

  /** Keeps others from taking over the work for the rest of the unit of work. @returns false when it was already taken over */
  async hold({ scope, key }: RecordKey, { reference, until }: Lease): Promise<boolean> {
    const row = await this.database.queryOne({
      name: 'idempotency-hold',
      text: `SELECT 1 FROM idempotency_records
             WHERE scope = $1 AND key = $2 AND reference = $3 AND locked_until = $4 AND status IS NULL FOR UPDATE`,
      values: [scope, key, reference, until],
    });
    return row !== undefined;
  }

  /** Records the answer of work that is held. */
  async finish({ scope, key }: RecordKey, answer: RecordedAnswer): Promise<void> {
    await this.database.execute({
      name: 'idempotency-finish',
      text: `UPDATE idempotency_records SET status = $3, headers = $4, body = $5, locked_until = NULL
             WHERE scope = $1 AND key = $2`,
      values: [scope, key, answer.status, JSON.stringify(answer.headers), answer.body],
    });
  }

  /** Deletes the record of held work that had no effect: the key is free again. */
  async remove({ scope, key }: RecordKey): Promise<void> {
    await this.database.execute({
      text: 'DELETE FROM idempotency_records WHERE scope = $1 AND key = $2',
      values: [scope, key],
    });
  }

  /**
   * Deletes up to `limit` expired records, oldest first.
   * @param from those that expired at this moment or later
   * @returns how many, and when the last of them expired
   */
  async sweep(limit: number, from?: Date): Promise<{ deleted: number; upTo: Date | null }> {
    const row = await this.database.queryOne<{ deleted: number; upTo: Date | null }>({
      text: `WITH gone AS (
               DELETE FROM idempotency_records WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM idempotency_records
                 WHERE expires_at <= now() AND expires_at >= COALESCE($2::timestamptz, '-infinity')
                 ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
               RETURNING expires_at)
             SELECT count(*)::integer AS deleted, max(expires_at) AS "upTo" FROM gone`,
      values: [limit, from],
    });
    return row!;
  }
}
