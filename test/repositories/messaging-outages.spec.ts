import type { Gauge } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TransientError } from '../../src/platform/errors/index.js';
import {
  DeadLetters,
  EventConsumer,
  EventProcessor,
  Handles,
  Scheduled,
  type DeliveredEvent,
} from '../../src/platform/messaging/index.js';
import { MessagingMetrics } from '../../src/platform/messaging/messaging.metrics.js';
import { OutboxRepository } from '../../src/platform/messaging/outbox/outbox.repository.js';
import { waitFor } from '../../local/wait-for.js';
import {
  openMessagingRoom,
  parcelSent,
  type MessagingProcess,
  type MessagingRoom,
  type Parcel,
} from './messaging-room.js';

let effects: number[] = [];
let ticks = 0;
let failWith: (() => Error) | undefined;

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent(event: DeliveredEvent<Parcel>): Promise<void> {
    if (failWith) throw failWith();
    const { number } = event.payload;
    if (await this.inbox.once(event, () => Promise.resolve())) effects.push(number);
  }

  @Scheduled({ name: 'tick', every: 200, queue: 'post' })
  async tick(): Promise<void> {
    ticks += 1;
  }
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const sorted = (): number[] => effects.toSorted((a, b) => a - b);
const notNow = (): Error => new TransientError({ code: 'not-now', detail: 'Later.' });

describe('messaging when Redis or PostgreSQL is down', () => {
  let room: MessagingRoom;

  beforeEach(async () => {
    effects = [];
    ticks = 0;
    failWith = undefined;
    room = await openMessagingRoom();
  });

  afterEach(() => room.close());

  const worker = (env: Record<string, string> = {}): Promise<MessagingProcess> =>
    room.process({ providers: [PostProcessor], env });

  const handled = (count: number): Promise<unknown> =>
    waitFor(() => effects.length >= count, { what: `${count} handled events` });

  it('recovers when Redis was restarted empty: nothing lost, nothing duplicated, schedules recreated', async () => {
    const process = await worker();
    await process.send(1, 20);
    await handled(20);
    await waitFor(() => ticks > 0, { what: 'the schedule' });

    await room.redis.kill();
    await process.send(21, 40);
    await waitFor(() => process.runtime.status().relayProblem, { what: 'the relay noticing' });
    await room.redis.restart();
    await process.send(41, 60);

    await handled(60);
    expect(sorted()).toEqual(numbers(1, 60));
    const before = ticks;
    await waitFor(() => ticks > before + 1, { what: 'the schedule' });
    await waitFor(() => !process.runtime.status().relayProblem, { what: 'the relay without a problem' });
  });

  it('does not take events for lost that another worker has relayed since', async () => {
    const env = {
      JOB_BACKOFF_MS: '600000',
      JOB_BACKOFF_MAX_MS: '3600000',
      OUTBOX_REDELIVERY_AFTER_MS: '3600000',
    };
    const slow = await room.process({ providers: [PostProcessor], env, start: false });
    const outbox = slow.app.get(OutboxRepository);
    const now = outbox.now.bind(outbox);
    const asked = Promise.withResolvers<void>();
    const othersHaveRelayed = Promise.withResolvers<void>();
    vi.spyOn(outbox, 'now').mockImplementation(async () => {
      asked.resolve();
      await othersHaveRelayed.promise;
      return now();
    });
    const settle = vi.spyOn(outbox, 'settle');
    failWith = notNow;
    slow.runtime.start();
    await asked.promise;

    const quick = await worker(env);
    await quick.send(1, 20);
    const relayed = (): Promise<{ attempts: number }[]> =>
      quick.database.query({
        text: 'SELECT relay_attempts AS attempts FROM outbox_events WHERE relayed_at IS NOT NULL',
      });
    await waitFor(async () => (await relayed()).length === 20, { what: 'the relay' });
    othersHaveRelayed.resolve();
    await waitFor(() => settle.mock.settledResults.length > 0, { what: 'the slow one' });

    expect(await relayed()).toEqual(Array.from({ length: 20 }, () => ({ attempts: 1 })));
  });

  it('delivers what was in emptied queues, without waiting until redelivery is due', async () => {
    failWith = notNow;
    const process = await worker({ JOB_BACKOFF_MS: '600000', JOB_BACKOFF_MAX_MS: '3600000' });
    await process.send(1, 20);
    await waitFor(
      async () => {
        const rows = await process.database.query({
          text: 'SELECT 1 FROM outbox_events WHERE relayed_at IS NULL',
        });
        return rows.length === 0;
      },
      { what: 'the events being in the queue' },
    );

    failWith = undefined;
    await room.redis.flush();

    await handled(20);
    expect(sorted()).toEqual(numbers(1, 20));
  });

  it('waits while Redis is frozen, and continues afterwards', async () => {
    const process = await worker();
    await process.send(1, 5);
    await handled(5);

    room.redis.freeze();
    await process.send(6, 10);
    await waitFor(() => process.runtime.status().relayProblem, { what: 'the relay noticing' });
    await process.send(11, 15);
    room.redis.thaw();

    await handled(15);
    expect(sorted()).toEqual(numbers(1, 15));
  });

  it('starts without Redis, and works when it is back', async () => {
    await room.redis.kill();
    const process = await worker();
    await process.send(1, 5);
    await waitFor(() => process.runtime.status().relayProblem, { what: 'the relay noticing' });

    await room.redis.restart();

    await handled(5);
    expect(sorted()).toEqual(numbers(1, 5));
  });

  it('reports the waiting events and their age while Redis is down', async () => {
    const process = await worker();
    const metrics = process.app.get(MessagingMetrics);
    const value = async (gauge: Gauge): Promise<number> => (await gauge.get()).values[0]?.value ?? 0;
    await waitFor(() => value(metrics.redisUp), { what: 'the queues being up' });
    await room.redis.kill();
    await waitFor(() => process.runtime.status().relayProblem, { what: 'the relay noticing' });

    await process.send(1, 7);

    await waitFor(async () => (await value(metrics.pending)) === 7, { what: 'the backlog' });
    await waitFor(async () => (await value(metrics.lag)) > 2, { what: 'the lag growing' });
    // The gauges of Redis and of the outbox are not set at the same moment.
    await waitFor(async () => (await value(metrics.redisUp)) === 0, { what: 'the queues being down' });
    expect(process.runtime.status().backlog).toMatchObject({ pending: 7 });
  });

  it('recovers when PostgreSQL was down', async () => {
    const process = await worker();
    await process.send(1, 10);
    await handled(10);

    await room.postgres.kill();
    await waitFor(() => process.runtime.status().relayProblem, { what: 'the relay noticing' });
    await room.postgres.restart();
    await waitFor(() => process.send(11, 11), { what: 'the database answering' });

    await handled(11);
    expect(sorted()).toEqual(numbers(1, 11));
  });

  it('loses no event whose dead letter could not be written', async () => {
    const process = await worker({ JOB_ATTEMPTS: '1', OUTBOX_REDELIVERY_AFTER_MS: '500' });
    await process.database.query({
      text: `
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON dead_letters FOR EACH ROW EXECUTE FUNCTION refuse()`,
    });
    let failures = 0;
    failWith = () => {
      failures += 1;
      return new Error('broken');
    };
    const [id] = await process.send(1, 1);
    await waitFor(() => failures > 0, { what: 'the failure' });

    await process.database.execute({ text: 'DROP TRIGGER refuse ON dead_letters' });

    const letters = await waitFor(
      async () => {
        const found = await process.app.get(DeadLetters).list({ limit: 10 });
        return found.length > 0 && found;
      },
      { what: 'the dead letter' },
    );
    expect(letters).toMatchObject([
      { eventId: id, consumer: 'post', name: 'parcel.sent', reason: 'Error: broken' },
    ]);
  });
});
