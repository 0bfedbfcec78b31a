import { Injectable } from '@nestjs/common';
import { newId, RequestContext } from '../../context/index.js';
import { Database, UnitOfWork } from '../../database/index.js';
import { currentTraceparent } from '../../observability/index.js';
import type { EventDefinition } from '../events.js';
import { Topology } from '../topology/topology.js';

/** Rows in one statement: enough to make the round trips few, and short of any limit on a statement's time. */
const AT_ONCE = 1000;

/** The only way to cause work elsewhere: an event is a row that commits or rolls back with the change it tells of. */
@Injectable()
export class Outbox {
  constructor(
    private readonly database: Database,
    private readonly unitOfWork: UnitOfWork,
    private readonly topology: Topology,
  ) {}

  /**
   * Announces that something has happened, inside the unit of work in which it does. One statement; nothing is sent from
   * here, the worker's relay moves the row on once it is committed.
   * @param key what the event is about, for consumers and for people who look for it
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
    await this.database.execute({
      name: 'outbox-announce',
      text: 'INSERT INTO outbox_events (id, name, consumers, payload, key, request_id, trace_context) VALUES ($1, $2, $3, $4, $5, $6, $7)',
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
    const ids = announcements.map(() => newId());
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = announcements.slice(from, from + AT_ONCE);
      await this.database.execute({
        name: 'outbox-announce-many',
        text: `
          INSERT INTO outbox_events (id, name, consumers, payload, key, request_id, trace_context)
          SELECT id, $1, $2, payload::json, key, $3, $4
          FROM unnest($5::uuid[], $6::text[], $7::text[]) WITH ORDINALITY AS announced (id, payload, key, place)
          ORDER BY place`,
        values: [
          event.name,
          event.consumers,
          RequestContext.current()?.requestId ?? null,
          currentTraceparent() ?? null,
          ids.slice(from, from + AT_ONCE),
          some.map(({ payload }) => JSON.stringify(payload)),
          some.map(({ key }) => key ?? null),
        ],
      });
    }
    return ids;
  }

  private requireAnnounceable(event: EventDefinition): void {
    if (!this.unitOfWork.isActive) {
      throw new Error(
        `${event.name} announced outside a unit of work: it could be told of a change that never commits`,
      );
    }
    this.topology.requireDeclared(event);
  }
}
