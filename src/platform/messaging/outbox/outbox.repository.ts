import { Injectable } from '@nestjs/common';
import { Database } from '../../database/index.js';
import type { ClaimedEvent } from '../queues/queues.js';

/** How long a claimed event may go unrecorded before it is relayed again, growing with the attempts. Milliseconds. */
export interface RedeliveryPolicy {
  afterMs: number;
  atMostMs: number;
}

export interface Backlog {
  /** Events that wait for the relay: counted up to `BACKLOG_COUNTED`, and estimated from their positions beyond that. */
  pending: number;
  /** Age of the oldest one in seconds; 0 when there is none. */
  lagSeconds: number;
}

/** Counting further would cost more than the exact figure is worth. */
export const BACKLOG_COUNTED = 10_000;

/** Sweeps and checks go through many rows; they may take longer than a request's queries. Milliseconds. */
const BATCH_TIMEOUT_MS = 10_000;

/** The statements of relay, redelivery and sweep on outbox rows. Each method is one short statement, and so one transaction. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly database: Database) {}

  /**
   * Claims the first waiting events: after this commits, no other relay will take them until they are due again.
   *
   * The statement keeps its plan whatever the statistics are, and they are often wrong here: almost no row waits, until very many
   * do. The rows are found by `ctid`, collected before the update begins, so there is no join to plan badly. The limit is a
   * subquery, for which the planner assumes that a tenth of the rows will be read. With a number above its estimate of waiting
   * rows, it would fetch and sort all of them, each time.
   * @param after only positions above this one; see `RelayCursor`
   * @returns the events in order of announcement.
   */
  async claim(
    after: number,
    limit: number,
    { afterMs, atMostMs }: RedeliveryPolicy,
  ): Promise<ClaimedEvent[]> {
    const rows = await this.database.query<ClaimedEvent>({
      name: 'outbox-claim',
      text: `
        UPDATE outbox_events
        SET relayed_at = clock_timestamp(),
            relay_attempts = relay_attempts + 1,
            redeliver_at = clock_timestamp()
              + LEAST($3::float8 * 2 ^ LEAST(relay_attempts, 30), $4::float8) * interval '1 millisecond'
        WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM outbox_events
          WHERE relayed_at IS NULL AND position > $1
          ORDER BY position
          LIMIT (SELECT $2::bigint)
          FOR UPDATE SKIP LOCKED
        ))
        RETURNING id, position, name, consumers, payload::text AS payload, key, options::text AS options,
                  request_id AS "requestId", trace_context AS "traceContext",
                  floor(extract(epoch FROM occurred_at) * 1000)::float8 AS "occurredAt",
                  relayed_at AS "claimedAt"`,
      values: [after, limit, afterMs, atMostMs],
    });
    return rows.sort((a, b) => a.position - b.position);
  }

  /**
   * Releases claimed events that did not reach the queue, unless another relay has claimed them since: this process may have
   * stalled for longer than its claim lasts.
   */
  async handBack(events: ClaimedEvent[]): Promise<void> {
    await this.database.execute({
      name: 'outbox-hand-back',
      text: `
        UPDATE outbox_events
        SET relayed_at = NULL, redeliver_at = NULL, relay_attempts = GREATEST(relay_attempts - 1, 0)
        FROM unnest($1::uuid[], $2::timestamptz[]) AS claimed (id, at)
        WHERE outbox_events.id = claimed.id AND relayed_at = claimed.at AND redeliver_at IS NOT NULL`,
      values: [events.map(({ id }) => id), events.map(({ claimedAt }) => claimedAt)],
    });
  }

  /**
   * Checks relayed events that are due: those that every consumer has recorded, or has among its dead letters, are settled; the
   * others wait for the relay again, for the consumers that are still missing.
   * @param lostAt when the queues were found empty: then everything that was relayed before is due at once
   * @returns how many were checked, how many wait for the relay now, and how many of these not for the first time.
   */
  async settle(limit: number, lostAt?: Date): Promise<{ checked: number; due: number; redelivered: number }> {
    const rows = await this.database.query<{ due: boolean; again: boolean }>({
      name: 'outbox-settle',
      text: `
        WITH due AS MATERIALIZED (
          SELECT id, consumers FROM outbox_events
          WHERE redeliver_at IS NOT NULL
            AND redeliver_at <= COALESCE($1::timestamptz + interval '100 years', now())
            AND relayed_at <= COALESCE($1::timestamptz, 'infinity')
          ORDER BY redeliver_at
          LIMIT (SELECT $2::bigint)
          FOR UPDATE SKIP LOCKED
        ), checked AS MATERIALIZED (
          SELECT due.id, ARRAY(
            SELECT told.consumer FROM unnest(due.consumers) AS told (consumer)
            WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE event_id = due.id AND inbox.consumer = told.consumer)
              AND NOT EXISTS (
                SELECT 1 FROM dead_letters
                WHERE event_id = due.id AND dead_letters.consumer = told.consumer AND replayed_at IS NULL
              )
          ) AS owed
          FROM due
        )
        UPDATE outbox_events
        SET redeliver_at = NULL,
            relayed_at = CASE WHEN owed = '{}' THEN relayed_at END,
            consumers = CASE WHEN owed = '{}' THEN consumers ELSE owed END
        FROM checked
        WHERE outbox_events.id = checked.id
        RETURNING owed <> '{}' AS due, owed <> '{}' AND relay_attempts > 0 AS again`,
      values: [lostAt ?? null, limit],
      timeoutMs: BATCH_TIMEOUT_MS,
    });
    return {
      checked: rows.length,
      due: rows.filter(({ due }) => due).length,
      redelivered: rows.filter(({ again }) => again).length,
    };
  }

  /** The time by PostgreSQL's clock: `settle` must not depend on this machine's. */
  async now(): Promise<Date> {
    const [row] = await this.database.query<{ now: Date }>({ text: 'SELECT clock_timestamp() AS now' });
    return row!.now;
  }

  /**
   * Deletes old settled events, with their inbox rows.
   * @param from ids after this one
   * @param before ids below this one, and relayed before the time in it: a job of a late redelivery may still be in a queue
   * @returns the ids deleted.
   */
  async sweep(from: string, before: { id: string; time: Date }, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>({
      name: 'outbox-sweep',
      text: `
        WITH gone AS (
          DELETE FROM outbox_events
          WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM outbox_events
            WHERE id > $1 AND id < $2 AND relayed_at < $3 AND redeliver_at IS NULL
            ORDER BY id
            LIMIT (SELECT $4::bigint)
            FOR UPDATE SKIP LOCKED
          ))
          RETURNING id
        ), forgotten AS (
          DELETE FROM inbox USING gone WHERE inbox.event_id = gone.id
        )
        SELECT id FROM gone`,
      values: [from, before.id, before.time, limit],
      timeoutMs: BATCH_TIMEOUT_MS,
    });
    return rows.map(({ id }) => id);
  }

  /** Whether more than `most` events wait for the relay. Reads no more index entries than that. */
  async exceeds(most: number): Promise<boolean> {
    const row = await this.database.queryOne<{ waiting: number }>({
      name: 'outbox-exceeds',
      text: 'SELECT count(*)::int AS waiting FROM (SELECT FROM outbox_events WHERE relayed_at IS NULL LIMIT $1) AS counted',
      values: [most + 1],
    });
    return (row?.waiting ?? 0) > most;
  }

  /**
   * The events that wait for the relay. The cost is bounded: events above the counted ones are assumed to wait, because the relay
   * goes by position.
   */
  async backlog(): Promise<Backlog> {
    const [row] = await this.database.query<{ counted: number; beyond: number | null; lag: number | null }>({
      name: 'outbox-backlog',
      text: `
        SELECT count(*)::int AS counted,
               extract(epoch FROM clock_timestamp() - (array_agg(occurred_at))[1])::float8 AS lag,
               ((SELECT max(position) FROM outbox_events WHERE relayed_at IS NULL) - max(position))::float8 AS beyond
        FROM (
          SELECT occurred_at, position FROM outbox_events
          WHERE relayed_at IS NULL ORDER BY position LIMIT ${BACKLOG_COUNTED}
        ) AS waiting`,
    });
    const { counted = 0, beyond = 0, lag = 0 } = row ?? {};
    const pending = counted < BACKLOG_COUNTED ? counted : counted + Math.max(0, beyond ?? 0);
    return { pending, lagSeconds: Math.max(0, lag ?? 0) };
  }
}
