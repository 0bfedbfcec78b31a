import { Injectable } from '@nestjs/common';
import { newId, RequestContext } from '../../context/index.js';
import { Database, UnitOfWork } from '../../database/index.js';
import { currentTraceparent } from '../../observability/index.js';
import type { EventDefinition } from '../events.js';
import { Topology } from '../topology/topology.js';

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
    if (!this.unitOfWork.isActive) {
      throw new Error(
        `${event.name} announced outside a unit of work: it could be told of a change that never commits`,
      );
    }
    this.topology.requireDeclared(event);
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
}
