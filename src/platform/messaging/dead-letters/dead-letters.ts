import { Inject, Injectable } from '@nestjs/common';
import type { JobsOptions } from 'bullmq';
import { redactor, secretTexts, Settings } from '../../../config/index.js';
import { newId } from '../../context/index.js';
import { Database, UnitOfWork } from '../../database/index.js';
import type { DeliveredEvent } from '../events.js';

export interface DeadLetterQuery {
  /** The maximum number. */
  limit: number;
  /** The `id` of the last one of the previous page. */
  cursor?: string;
  consumer?: string;
}

/** A dead letter that has not been replayed. */
export interface DeadLetterSummary {
  id: string;
  eventId: string;
  consumer: string;
  name: string;
  key: string | null;
  requestId: string | null;
  occurredAt: Date;
  failedAt: Date;
  attempts: number;
  reason: string;
  stack: string | null;
}

const STACK_LINES = 12;
const REASON_LENGTH = 1000;
/** Letters replayed in one batch. */
const REPLAY_BATCH = 1000;
/** Longer than a request's query may take. */
const REPLAY_TIMEOUT_MS = 10_000;
const ANY_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Events that a consumer could not handle and that a retry would not help. They are kept in PostgreSQL, not among a queue's
 * failed jobs, because they must survive the loss of Redis.
 */
@Injectable()
export class DeadLetters {
  /** A reason may quote a dependency's message, which may contain a secret. */
  private readonly redact: (text: string) => string;

  constructor(
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
    @Inject(Settings) settings: Settings,
  ) {
    this.redact = redactor(secretTexts(settings));
  }

  /**
   * Stores an event that failed permanently. A second call changes nothing while the letter has not been replayed, nor when
   * another worker handled the event while this one was stalled.
   * @param options of a plain job
   */
  async record(event: DeliveredEvent, error: unknown, options: JobsOptions | null = null): Promise<void> {
    await this.database.execute({
      name: 'dead-letter-record',
      text: `
        INSERT INTO dead_letters
          (id, event_id, consumer, name, payload, key, request_id, occurred_at, reason, stack, attempts, options)
        SELECT $1::uuid, $2::uuid, $3, $4, $5::json, $6, $7, $8::timestamptz, $9, $10, $11::integer, $12::json
        WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE event_id = $2::uuid AND consumer = $3)
        ON CONFLICT (event_id, consumer) WHERE replayed_at IS NULL DO NOTHING`,
      values: [
        newId(),
        event.id,
        event.consumer,
        event.name,
        JSON.stringify(event.payload),
        event.key,
        event.requestId,
        event.occurredAt,
        this.redact(reasonOf(error)),
        stackOf(error, this.redact),
        event.attempt,
        options && JSON.stringify(options),
      ],
    });
  }

  /** Letters that wait for an operator, newest first. */
  list({ limit, cursor, consumer }: DeadLetterQuery): Promise<DeadLetterSummary[]> {
    return this.database.query<DeadLetterSummary>({
      text: `
        SELECT id, event_id AS "eventId", consumer, name, key, request_id AS "requestId", occurred_at AS "occurredAt",
               failed_at AS "failedAt", attempts, reason, stack
        FROM dead_letters
        WHERE replayed_at IS NULL
          AND ($2::uuid IS NULL OR id < $2) AND ($3::text IS NULL OR consumer = $3)
        ORDER BY id DESC
        LIMIT $1`,
      values: [limit, cursor ?? null, consumer ?? null],
    });
  }

  /** How many wait, for an alert. */
  async count(): Promise<number> {
    const [row] = await this.database.query<{ count: number }>({
      name: 'dead-letter-count',
      text: 'SELECT count(*)::int AS count FROM dead_letters WHERE replayed_at IS NULL',
    });
    return row?.count ?? 0;
  }

  /**
   * Replays an event for the consumer that failed and no other, once the cause is fixed.
   * @returns how many were replayed: 0 when there is no such letter or it was replayed before
   */
  async replay(id: string): Promise<number> {
    return (await this.putBack(id, ANY_ID, null)).length;
  }

  /**
   * Replays all letters that wait at this moment, oldest first, in batches, each its own transaction: if it stops in between, the
   * rest waits for the next call. An event that fails again meanwhile is a new letter, and is left.
   * @param report gets how many were replayed so far
   * @returns how many were replayed
   */
  async replayAll(report: (done: number) => void = () => undefined): Promise<number> {
    const { now } = (await this.database.queryOne<{ now: Date }>({
      text: 'SELECT clock_timestamp() AS now',
    }))!;
    let done = 0;
    for (let after = ANY_ID; ;) {
      const ids = await this.putBack(null, after, now);
      if (ids.length === 0) return done;
      done += ids.length;
      report(done);
      // Continue from here: the start of the index is full of letters that were just replayed.
      after = ids.reduce((highest, id) => (id > highest ? id : highest), after);
    }
  }

  /**
   * @param id of one letter, or null for a batch of those that failed until `until`
   * @returns the ids of those that were replayed
   */
  private putBack(id: string | null, after: string, until: Date | null): Promise<string[]> {
    return this.unitOfWork.run(async () => {
      const replayed = await this.database.query<{ id: string }>({
        text: `
          UPDATE dead_letters SET replayed_at = now()
          WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM dead_letters
            WHERE replayed_at IS NULL AND id > $2 AND ($1::text IS NULL OR id::text = $1)
              AND failed_at <= COALESCE($3::timestamptz, 'infinity')
            ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED))
          RETURNING id`,
        values: [id, after, until, REPLAY_BATCH],
        timeoutMs: REPLAY_TIMEOUT_MS,
      });
      const ids = replayed.map(({ id }) => id);
      // The event's row may still exist, settled or waiting for others, or may have been swept long ago.
      await this.database.execute({
        text: `
          INSERT INTO outbox_events (id, name, consumers, payload, key, options, request_id, occurred_at)
          SELECT event_id, min(name), array_agg(consumer), (array_agg(payload))[1], min(key), (array_agg(options))[1], min(request_id), min(occurred_at)
          FROM dead_letters
          WHERE id = ANY ($1::uuid[])
          GROUP BY event_id
          ON CONFLICT (id) DO UPDATE SET
            consumers = CASE
              WHEN outbox_events.relayed_at IS NOT NULL AND outbox_events.redeliver_at IS NULL THEN excluded.consumers
              ELSE ARRAY(SELECT DISTINCT unnest(outbox_events.consumers || excluded.consumers))
            END,
            relayed_at = NULL,
            redeliver_at = NULL,
            relay_attempts = 0`,
        values: [ids],
        timeoutMs: REPLAY_TIMEOUT_MS,
      });
      return ids;
    });
  }
}

function reasonOf(error: unknown): string {
  return storable(error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(
    0,
    REASON_LENGTH,
  );
}

function stackOf(error: unknown, redact: (text: string) => string): string | null {
  if (!(error instanceof Error) || !error.stack) return null;
  return redact(storable(error.stack.split('\n', STACK_LINES).join('\n')));
}

/** PostgreSQL's text cannot hold NUL, and a letter that cannot be written would be retried for ever. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '');
}
