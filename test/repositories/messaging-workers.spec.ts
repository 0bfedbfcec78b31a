import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Settings } from '../../src/config/index.js';
import { TransientError } from '../../src/platform/errors/index.js';
import {
  DeadLetters,
  defineEvent,
  EventConsumer,
  EventProcessor,
  Handles,
  Inbox,
  MessagingRuntime,
  Scheduled,
  TopologyError,
  type DeliveredEvent,
} from '../../src/platform/messaging/index.js';
import { waitFor } from '../../local/wait-for.js';
import { openMessagingRoom, parcelSent, type MessagingRoom, type Parcel } from './messaging-room.js';

const parcelKept = defineEvent('parcel.kept', { consumers: ['post'] });

let deliveries: number[] = [];
const runs: Record<string, number> = {};

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent(event: DeliveredEvent<Parcel>): Promise<void> {
    deliveries.push(event.payload.number);
    await this.inbox.record(event);
  }
}

class OldChores {
  @Scheduled({ name: 'sweep-attic', every: 100 })
  async sweep(): Promise<void> {
    runs['old'] = (runs['old'] ?? 0) + 1;
  }

  @Scheduled({ name: 'sweep-cellar', every: 3_600_000 })
  async sweepCellar(): Promise<void> {}
}

class NewChores {
  @Scheduled({ name: 'sweep-cellar', every: (settings) => settings.messaging.redeliveryAfterMs })
  async sweepCellar(): Promise<void> {
    runs['new'] = (runs['new'] ?? 0) + 1;
  }
}

describe('workers', () => {
  let room: MessagingRoom;

  beforeEach(async () => {
    deliveries = [];
    for (const name of Object.keys(runs)) delete runs[name];
    room = await openMessagingRoom();
  });

  afterEach(() => room.close());

  it('deliver each event once with several concurrent relays', async () => {
    const workers = await Promise.all(
      [1, 2, 3].map(() => room.process({ providers: [PostProcessor], env: { OUTBOX_BATCH_SIZE: '7' } })),
    );
    await Promise.all(workers.map((worker, i) => worker.send(i * 100 + 1, i * 100 + 100)));
    await waitFor(() => deliveries.length >= 300, { within: 60_000, what: 'all deliveries' });
    expect(deliveries.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });

  it('deliver in the order of announcement', async () => {
    const api = await room.process({ role: 'api' });
    await api.send(1, 50);
    await room.process({
      providers: [PostProcessor],
      env: { WORKER_CONCURRENCY: '1', OUTBOX_BATCH_SIZE: '8' },
    });
    await waitFor(() => deliveries.length >= 50, { what: 'all deliveries' });
    expect(deliveries).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('settle what was handled, so that nothing is delivered again', async () => {
    const worker = await room.process({
      providers: [PostProcessor],
      env: { OUTBOX_REDELIVERY_AFTER_MS: '3600000' },
    });
    await worker.send(1, 20);
    const recorded = () => worker.database.query({ text: 'SELECT 1 FROM inbox' });
    await waitFor(async () => (await recorded()).length === 20, { what: 'all events recorded' });
    await worker.database.execute({ text: 'UPDATE outbox_events SET redeliver_at = now()' });
    await waitFor(
      async () => {
        const [row] = await worker.database.query<{ settled: number }>({
          text: 'SELECT count(*)::int AS settled FROM outbox_events WHERE relayed_at IS NOT NULL AND redeliver_at IS NULL',
        });
        return row?.settled === 20;
      },
      { what: 'all events settled' },
    );
    expect(deliveries).toHaveLength(20);
  });

  it('do nothing before they are started, and nothing in an api', async () => {
    const idle = await room.process({ providers: [PostProcessor], start: false });
    const api = await room.process({ role: 'api', providers: [PostProcessor] });
    await api.send(1, 1);
    await expect(waitFor(() => deliveries.length > 0, { within: 300 })).rejects.toThrow('Timed out');
    expect(idle.runtime.status()).toMatchObject({ state: 'idle', activeJobs: 0 });
    expect(() => api.app.get(MessagingRuntime)).toThrow();
    const redis = new Redis(room.redis.url());
    expect(await redis.dbsize()).toBe(0);
    redis.disconnect();
    idle.runtime.start();
    await waitFor(() => deliveries.length === 1, { what: 'the delivery' });
    expect(() => idle.runtime.start()).toThrow('in the state running');
  });

  it('retry a failed event as often as its queue or handler says', async () => {
    const tries: string[] = [];
    const fail = (event: DeliveredEvent): Promise<void> => {
      tries.push(`${event.name} ${event.attempt} of ${event.attempts}`);
      return Promise.reject(new TransientError({ code: 'not-now', detail: 'Later.' }));
    };
    @EventProcessor('post', { attempts: 2, backoff: { type: 'fixed', delay: 5 } })
    class ImpatientProcessor extends EventConsumer {
      @Handles(parcelSent)
      onParcelSent(event: DeliveredEvent<Parcel>): Promise<void> {
        return fail(event);
      }

      @Handles(parcelKept, { attempts: 3 })
      onParcelKept(event: DeliveredEvent): Promise<void> {
        return fail(event);
      }
    }
    const { unitOfWork, outbox, app } = await room.process({
      events: [parcelSent, parcelKept],
      providers: [ImpatientProcessor],
    });
    await unitOfWork.run(() => outbox.announce(parcelSent, { number: 1 }));
    await unitOfWork.run(() => outbox.announce(parcelKept, {}));

    await waitFor(async () => (await app.get(DeadLetters).count()) === 2, { what: 'both dead letters' });
    expect(tries.toSorted()).toEqual([
      'parcel.kept 1 of 3',
      'parcel.kept 2 of 3',
      'parcel.kept 3 of 3',
      'parcel.sent 1 of 2',
      'parcel.sent 2 of 2',
    ]);
  });

  it('wait before a retry as long as the queue or handler says in milliseconds', async () => {
    const tries: Record<string, number[]> = { 'parcel.sent': [], 'parcel.kept': [] };
    const fail = ({ name }: DeliveredEvent): Promise<void> => {
      tries[name]!.push(Date.now());
      return Promise.reject(new TransientError({ code: 'not-now', detail: 'Later.' }));
    };
    @EventProcessor('post', { attempts: 2, backoff: 1000 })
    class PatientProcessor extends EventConsumer {
      @Handles(parcelSent)
      onParcelSent(event: DeliveredEvent<Parcel>): Promise<void> {
        return fail(event);
      }

      @Handles(parcelKept, { backoff: 2000 })
      onParcelKept(event: DeliveredEvent): Promise<void> {
        return fail(event);
      }
    }
    const { unitOfWork, outbox, app } = await room.process({
      events: [parcelSent, parcelKept],
      providers: [PatientProcessor],
    });
    await unitOfWork.run(() => outbox.announce(parcelSent, { number: 1 }));
    await unitOfWork.run(() => outbox.announce(parcelKept, {}));

    await waitFor(async () => (await app.get(DeadLetters).count()) === 2, { what: 'both dead letters' });
    const waited = (name: string): number => tries[name]![1]! - tries[name]![0]!;
    expect(waited('parcel.sent')).toBeGreaterThan(900);
    expect(waited('parcel.kept')).toBeGreaterThan(1900);
  });

  it('run a slow event one at a time in its own queue, and other events meanwhile', async () => {
    const carved = defineEvent<Parcel>('statue.carved', { consumers: ['workshop'] });
    const gate = Promise.withResolvers<void>();
    const began: number[] = [];
    let inHand = 0;
    let mostInHand = 0;
    @EventProcessor('workshop', { concurrency: 1 })
    class WorkshopProcessor extends EventConsumer {
      @Handles(carved)
      async onCarved({ payload }: DeliveredEvent<Parcel>): Promise<void> {
        began.push(payload.number);
        mostInHand = Math.max(mostInHand, ++inHand);
        await gate.promise;
        inHand -= 1;
      }
    }
    const { unitOfWork, outbox, send } = await room.process({
      events: [parcelSent, carved],
      queues: ['post', 'workshop'],
      providers: [PostProcessor, WorkshopProcessor],
    });
    try {
      for (const number of [1, 2, 3]) await unitOfWork.run(() => outbox.announce(carved, { number }));
      await waitFor(() => began.length > 0, { what: 'the first slow event' });
      await send(1, 50);
      await waitFor(() => deliveries.length >= 50, { what: 'the other events' });
      expect(began).toHaveLength(1);
    } finally {
      gate.resolve();
    }
    await waitFor(() => began.length >= 3, { what: 'all slow events' });
    expect(mostInHand).toBe(1);
  });

  it('do not start when a handler is missing', async () => {
    await expect(room.process({ providers: [] })).rejects.toThrow(TopologyError);
  });

  it('keep the schedules that this version declares, with its intervals, and those of another one', async () => {
    const old = await room.process({ providers: [PostProcessor, OldChores] });
    await waitFor(() => (runs['old'] ?? 0) > 1, { what: 'the old schedule' });
    await old.close();

    const worker = await room.process({
      providers: [PostProcessor, NewChores],
      env: { OUTBOX_REDELIVERY_AFTER_MS: '500' },
    });
    await waitFor(() => (runs['new'] ?? 0) > 1, { what: 'the changed schedule' });
    const { redis: settings } = worker.app.get(Settings);
    const redis = new Redis(room.redis.url());
    await waitFor(
      async () => {
        const names = await redis.zrange(`${settings.prefix}:maintenance:repeat`, '0', '-1');
        return names.toSorted().join() === 'sweep-attic,sweep-cellar,sweep-outbox';
      },
      { what: 'all schedules' },
    );
    redis.disconnect();
  });

  it('report their state to readiness', async () => {
    const worker = await room.process({ providers: [PostProcessor] });
    await worker.send(1, 1);
    await waitFor(() => deliveries.length === 1, { what: 'the delivery' });
    const [check] = worker.health.checks.filter(({ name }) => name === 'queues');
    const report = await waitFor(async () => {
      const found = await check!.check();
      return found?.['backlog'] ? found : undefined;
    });
    expect(report).toMatchObject({ state: 'running' });
    expect(check!.essential).toBe(false);
    await room.redis.kill();
    await expect(check!.check()).rejects.toThrow();
    expect(
      await worker.app.get(Inbox).seen({ id: '01990000-0000-7000-8000-000000000001', consumer: 'post' }),
    ).toBe(false);
  });
});
