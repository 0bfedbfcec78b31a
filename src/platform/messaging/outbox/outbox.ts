import { Injectable } from '@nestjs/common';
import { newId, RequestContext } from '../../context/index.js';
import { Database, isBesideTransaction, UnitOfWork } from '../../database/index.js';
import { currentTraceparent } from '../../observability/index.js';
import type { EventDefinition } from '../events.js';
import type { JobWriter, NewJob } from '../queues/plain-queue.js';
import { Topology } from '../topology/topology.js';

/** Rows in one statement: enough for few round trips, and far below any limit on a statement's time. */
const AT_ONCE = 1000;

/** Longer delays are spent in the outbox, where they cannot be lost; only the rest in BullMQ, which is exact. Milliseconds. */
const LONGEST_DELAY_IN_REDIS_MS = 30_000;

interface NewRow {
  name: string;
  payload: unknown;
  key?: string;
  /** Of a plain job. */
  options?: NewJob['options'];
}

/** The only way to cause work elsewhere: an event or a job is a row that commits or rolls back with the change it belongs to. */
@Injectable()
export class Outbox implements JobWriter {
  constructor(
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
    private readonly topology: Topology,
  ) {}

  /**
   * Announces that something has happened, inside the unit of work of the change. One statement; nothing is sent from here, the
   * worker's relay moves the row once it is committed.
   * @param key the subject of the event, for consumers and for people who search for it
   * @returns the id of the event.
   * @throws Error outside a unit of work, or when no feature declares the event: a bug in either case.
   */
  async announce<P extends object>(
    event: EventDefinition<P>,
    payload: P,
    { key }: { key?: string } = {},
  ): Promise<string> {
    this.requireAnnounceable(event);
    const id = newId();
    // The case of almost every request: for one row `unnest` and its sort cost PostgreSQL more than the insert itself.
    await this.database.execute({
      name: 'outbox-announce',
      text: `
        INSERT INTO outbox_events (id, name, consumers, payload, key, request_id, trace_context)
        VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      values: [
        id,
        event.name,
        event.consumers,
        JSON.stringify(payload),
        key ?? null,
        RequestContext.current()?.requestId ?? null,
        currentTraceparent() ?? null,
      ],
    });
    return id;
  }

  /**
   * Announces one event many times, such as once for each follower of an author, as `announce` does but in one statement for each
   * thousand. Consumers get them in the order of the list.
   * @returns the ids of the events, in the same order; none for an empty list.
   * @throws as `announce`
   */
  async announceMany<P extends object>(
    event: EventDefinition<P>,
    announcements: readonly { payload: P; key?: string }[],
  ): Promise<string[]> {
    this.requireAnnounceable(event);
    return this.insert(
      event.consumers,
      announcements.map(({ payload, key }) => ({ name: event.name, payload, key })),
    );
  }

  /**
   * Called by the queues. Outside a unit of work the statement is its own transaction: there is no change that it could precede.
   * @throws Error beside a transaction of a query runner, whose rollback the jobs would survive: a bug.
   */
  async enqueue(queue: string, jobs: readonly NewJob[]): Promise<string[]> {
    if (!this.unitOfWork.isActive && isBesideTransaction())
      throw new Error(
        `Jobs cannot be added to ${queue} beside a transaction of a query runner: they would run even if it rolls back. Use dataSource.transaction(), which they join`,
      );
    const rows = jobs.map(({ name, data, options }) => ({ name, payload: data, options }));
    // All or none, also when they take more than one statement.
    return rows.length > AT_ONCE
      ? this.unitOfWork.run(() => this.insert([queue], rows))
      : this.insert([queue], rows);
  }

  private requireAnnounceable<P extends object>(event: EventDefinition<P>): void {
    if (!this.unitOfWork.isActive) {
      throw new Error(
        `${event.name} announced outside a unit of work: it could report a change that never commits`,
      );
    }
    this.topology.requireDeclared(event);
  }

  private async insert(consumers: readonly string[], rows: readonly NewRow[]): Promise<string[]> {
    const ids: string[] = [];
    for (let from = 0; from < rows.length; from += AT_ONCE)
      ids.push(...(await this.insertSome(consumers, rows.slice(from, from + AT_ONCE))));
    return ids;
  }

  private async insertSome(consumers: readonly string[], rows: readonly NewRow[]): Promise<string[]> {
    const ids = rows.map(() => newId());
    await this.database.execute({
      name: 'outbox-insert',
      text: `
        INSERT INTO outbox_events
          (id, name, consumers, payload, key, options, request_id, trace_context, occurred_at, relayed_at, redeliver_at)
        SELECT id, name, $1, payload::json, key, options::json, $2, $3, now() + delay * interval '1 millisecond', until, until
        FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::float8[])
               WITH ORDINALITY AS new (id, name, payload, key, options, delay, place),
             LATERAL (SELECT CASE WHEN delay > $10 THEN now() + (delay - $10) * interval '1 millisecond' END) AS parked (until)
        ORDER BY place`,
      values: [
        consumers,
        RequestContext.current()?.requestId ?? null,
        currentTraceparent() ?? null,
        ids,
        rows.map(({ name }) => name),
        rows.map(({ payload }) => JSON.stringify(payload)),
        rows.map(({ key }) => key ?? null),
        rows.map(({ options }) => (options ? JSON.stringify(options) : null)),
        rows.map(({ options }) => options?.delay ?? 0),
        LONGEST_DELAY_IN_REDIS_MS,
      ],
    });
    return ids;
  }
}
