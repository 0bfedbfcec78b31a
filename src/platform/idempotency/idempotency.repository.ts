import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { Database } from '../database/index.js';
import type { RecordedAnswer } from './answer.js';

/** Whose key, which key, and what it stands for. */
export interface RecordKey {
  scope: string;
  key: string;
  fingerprint: string;
}

/** A record that has not expired. */
export interface FoundRecord {
  fingerprint: string;
  /** Null while the work is under way. */
  status: number | null;
  headers: Record<string, string> | null;
  body: string | null;
  reference: string | null;
  /** The work is under way and whoever does it is not overdue. */
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
   * Takes the key for the open unit of work, without waiting for whoever has it.
   * A statement of its own: what it guards must be looked up after it, with a snapshot that is newer than the lock.
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
      text: `SELECT fingerprint, status, headers, body, reference, coalesce(locked_until > now(), false) AS locked
             FROM idempotency_records WHERE scope = $1 AND key = $2 AND expires_at > now()`,
      values: [scope, key],
    });
  }

  /** Records the answer of work that was done in this unit of work. */
  async insertFinished({ scope, key, fingerprint }: RecordKey, answer: RecordedAnswer): Promise<void> {
    await this.database.execute({
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
    });
  }

  /** Records that the work is under way, for the first time or taken over. */
  async upsertRunning(
    { scope, key, fingerprint }: RecordKey,
    reference: string,
    leaseMs: number,
  ): Promise<void> {
    await this.database.execute({
      name: 'idempotency-upsert-running',
      text: `INSERT INTO idempotency_records (scope, key, fingerprint, reference, locked_until, expires_at)
             VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), now() + make_interval(hours => $6))
             ON CONFLICT (scope, key) DO UPDATE SET
               fingerprint = excluded.fingerprint, status = NULL, headers = NULL, body = NULL,
               reference = excluded.reference, locked_until = excluded.locked_until,
               created_at = excluded.created_at, expires_at = excluded.expires_at`,
      values: [scope, key, fingerprint, reference, leaseMs / 1000, this.retentionHours],
    });
  }

  /** Records the answer of work that was under way. @returns false when somebody else has, or the record is gone. */
  async finish({ scope, key }: RecordKey, reference: string, answer: RecordedAnswer): Promise<boolean> {
    const changed = await this.database.execute({
      name: 'idempotency-finish',
      text: `UPDATE idempotency_records SET status = $4, headers = $5, body = $6, locked_until = NULL
             WHERE scope = $1 AND key = $2 AND reference = $3 AND status IS NULL`,
      values: [scope, key, reference, answer.status, JSON.stringify(answer.headers), answer.body],
    });
    return changed > 0;
  }

  /** Forgets work under way that came to nothing: the key is free again. */
  async remove({ scope, key }: RecordKey, reference: string): Promise<void> {
    await this.database.execute({
      text: 'DELETE FROM idempotency_records WHERE scope = $1 AND key = $2 AND reference = $3 AND status IS NULL',
      values: [scope, key, reference],
    });
  }

  /** Deletes up to `limit` expired records, oldest first. @returns how many */
  sweep(limit: number): Promise<number> {
    return this.database.execute({
      text: `DELETE FROM idempotency_records WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM idempotency_records WHERE expires_at <= now()
               ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))`,
      values: [limit],
    });
  }
}
