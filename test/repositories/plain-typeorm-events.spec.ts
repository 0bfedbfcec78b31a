import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  DeadLetters,
  EventConsumer,
  EventProcessor,
  Handles,
  type DeliveredEvent,
} from '../../src/platform/messaging/index.js';
import { waitFor } from '../../local/wait-for.js';
import {
  openMessagingRoom,
  parcelSent,
  type MessagingProcess,
  type MessagingRoom,
  type Parcel,
} from './messaging-room.js';

let handle: (event: DeliveredEvent<Parcel>) => Promise<unknown>;

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent(event: DeliveredEvent<Parcel>): Promise<void> {
    await handle(event);
    await this.inbox.record(event);
  }
}

describe('events of a feature that uses TypeORM alone', () => {
  let room: MessagingRoom;
  let process: MessagingProcess;
  let dataSource: DataSource;

  beforeAll(async () => {
    room = await openMessagingRoom();
    process = await room.process({ providers: [PostProcessor], env: { JOB_ATTEMPTS: '3' } });
    dataSource = process.app.get(DataSource);
    await dataSource.query('CREATE TABLE parcels (number int PRIMARY KEY)');
  });
  afterAll(() => room?.close());
  beforeEach(async () => {
    handle = () => Promise.resolve();
    await dataSource.query('TRUNCATE parcels, outbox_events, inbox, dead_letters');
  });

  const insert = (number: number) => dataSource.query('INSERT INTO parcels VALUES ($1)', [number]);
  const count = async (table: string) =>
    (await dataSource.query<[{ count: number }]>(`SELECT count(*)::int AS count FROM ${table}`))[0].count;

  it('are announced in the commit of the change, or not at all', async () => {
    let handled = 0;
    handle = () => Promise.resolve((handled += 1));
    const failing = process.unitOfWork.run(async () => {
      await insert(1);
      await process.outbox.announce(parcelSent, { number: 1 });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect([await count('parcels'), await count('outbox_events')]).toEqual([0, 0]);

    await process.unitOfWork.run(async () => {
      await insert(2);
      await process.outbox.announce(parcelSent, { number: 2 });
    });
    expect(await count('parcels')).toBe(1);
    await waitFor(async () => (await count('inbox')) === 1, { within: 20_000, what: 'the event' });
    expect(handled).toBe(1);
  });

  it('are announced in a transaction of TypeORM as in a unit of work', async () => {
    const failing = dataSource.transaction(async (manager) => {
      await manager.query('INSERT INTO parcels VALUES (3)');
      await process.outbox.announce(parcelSent, { number: 3 });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect([await count('parcels'), await count('outbox_events')]).toEqual([0, 0]);
    await dataSource.transaction(async (manager) => {
      await manager.query('INSERT INTO parcels VALUES (4)');
      await process.outbox.announce(parcelSent, { number: 4 });
    });
    await waitFor(async () => (await count('inbox')) === 1, { within: 20_000, what: 'the event' });
  });

  it('are rejected in a transaction of a query runner, which nothing joins', async () => {
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    const announced = process.outbox.announce(parcelSent, { number: 5 });
    await expect(announced).rejects.toThrow('outside a unit of work');
    await runner.rollbackTransaction();
    await runner.release();
  });

  it('are retried after PostgreSQL was unavailable, and are no dead letters', async () => {
    let attempts = 0;
    handle = ({ payload }) =>
      process.unitOfWork.run(async () => {
        await insert(payload.number);
        attempts += 1;
        if (attempts === 1) await dataSource.query('SELECT pg_terminate_backend(pg_backend_pid())');
      });
    await process.send(7, 7);
    await waitFor(async () => (await count('inbox')) === 1, { within: 20_000, what: 'the second attempt' });
    expect([attempts, await count('parcels')]).toEqual([2, 1]);
    expect(await process.app.get(DeadLetters).list({ limit: 10 })).toEqual([]);
  });
});
