import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/platform/context/index.js';
import { TransientError } from '../../src/platform/errors/index.js';
import {
  DeadLetters,
  defineEvent,
  EventConsumer,
  EventProcessor,
  Handles,
  Inbox,
  type DeliveredEvent,
} from '../../src/platform/messaging/index.js';
import { Queues } from '../../src/platform/messaging/queues/queues.js';
import { waitFor } from '../../local/wait-for.js';
import {
  openMessagingRoom,
  parcelSent,
  type MessagingProcess,
  type MessagingRoom,
  type Parcel,
} from './messaging-room.js';

const parcelLost = defineEvent<Parcel>('parcel.lost', { consumers: ['post', 'insurance'] });

let onSent: (event: DeliveredEvent<Parcel>, inbox: Inbox) => Promise<unknown>;
let onLost: (event: DeliveredEvent<Parcel>, inbox: Inbox) => Promise<unknown>;
let deliveries: DeliveredEvent[] = [];

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent(event: DeliveredEvent<Parcel>): Promise<void> {
    deliveries.push(event);
    await onSent(event, this.inbox);
  }

  @Handles(parcelLost)
  async onParcelLost(event: DeliveredEvent<Parcel>): Promise<void> {
    deliveries.push(event);
    await onLost(event, this.inbox);
  }
}

@EventProcessor('insurance')
class InsuranceProcessor extends EventConsumer {
  @Handles(parcelLost)
  async onParcelLost(event: DeliveredEvent<Parcel>): Promise<void> {
    deliveries.push(event);
    await onLost(event, this.inbox);
  }
}

describe('handling events', () => {
  let room: MessagingRoom;
  let process: MessagingProcess;
  let letters: DeadLetters;

  beforeAll(async () => {
    room = await openMessagingRoom();
  });

  afterAll(() => room.close());

  beforeEach(async () => {
    deliveries = [];
    onSent = (event, inbox) => inbox.record(event);
    onLost = (event, inbox) => inbox.record(event);
    process = await room.process({
      events: [parcelSent, parcelLost],
      queues: ['post', 'insurance'],
      providers: [PostProcessor, InsuranceProcessor],
      env: { JOB_ATTEMPTS: '3' },
    });
    letters = process.app.get(DeadLetters);
  });

  afterEach(async () => {
    await process.database.execute({ text: 'TRUNCATE outbox_events, inbox, dead_letters' });
    await process.close();
  });

  const lose = (number: number): Promise<string> =>
    process.unitOfWork.run(() =>
      process.outbox.announce(parcelLost, { number }, { key: `parcel-${number}` }),
    );

  const recorded = async (): Promise<string[]> => {
    const rows = await process.database.query<{ consumer: string }>({
      text: 'SELECT consumer FROM inbox ORDER BY 1',
    });
    return rows.map(({ consumer }) => consumer);
  };

  const buried = async (count: number): Promise<void> => {
    await waitFor(async () => (await letters.list({ limit: 100 })).length === count, {
      what: `${count} dead letters`,
    });
    // A job leaves its queue after its letter is written. An event put back before that would be taken for a double of it.
    await waitFor(
      async () => {
        const queues = ['post', 'insurance'].map((name) => process.app.get(Queues).get(name));
        return (await Promise.all(queues.map((queue) => queue.getJobCountByTypes()))).every(
          (jobs) => jobs === 0,
        );
      },
      { what: 'empty queues' },
    );
  };

  it('gives the handler what was announced, in the context of the request that announced it', async () => {
    let seen: string | undefined;
    onLost = (event, inbox) => {
      seen = RequestContext.current()?.requestId;
      return inbox.record(event);
    };
    const before = Date.now();
    const id = await new RequestContext('request-7', Infinity).run(() => lose(7));

    await waitFor(() => deliveries.length === 2, { what: 'both deliveries' });
    expect(deliveries.map(({ consumer }) => consumer).toSorted()).toEqual(['insurance', 'post']);
    for (const event of deliveries) {
      expect(event).toMatchObject({
        id,
        name: 'parcel.lost',
        payload: { number: 7 },
        key: 'parcel-7',
        requestId: 'request-7',
        attempt: 1,
      });
      expect(event.occurredAt.getTime()).toBeGreaterThan(before - 1000);
      expect(event.signal.aborted).toBe(false);
    }
    expect(seen).toBe('request-7');
    await waitFor(async () => (await recorded()).length === 2);
    expect(await recorded()).toEqual(['insurance', 'post']);
  });

  it('has one effect for many concurrent deliveries', async () => {
    let effects = 0;
    const inbox = process.app.get(Inbox);
    const delivery = { id: '01990000-0000-7000-8000-000000000001', consumer: 'post' };
    const ran = await Promise.all(
      Array.from({ length: 8 }, () =>
        inbox.once(delivery, async () => {
          effects += 1;
          await process.database.query({ text: 'SELECT pg_sleep(0.05)' });
        }),
      ),
    );
    expect(effects).toBe(1);
    expect(ran.filter(Boolean)).toHaveLength(1);
    expect(await inbox.seen(delivery)).toBe(true);
    expect(await inbox.seen({ ...delivery, consumer: 'insurance' })).toBe(false);
  });

  it('forgets the delivery when its effect fails, so that the next one does the work', async () => {
    const inbox = process.app.get(Inbox);
    const delivery = { id: '01990000-0000-7000-8000-000000000002', consumer: 'post' };
    await expect(inbox.once(delivery, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await inbox.seen(delivery)).toBe(false);
    expect(await inbox.once(delivery, () => Promise.resolve())).toBe(true);
  });

  it('retries after a transient error and after a lost connection', async () => {
    const errors = [
      new TransientError({ code: 'mail-away', detail: 'No answer.' }),
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    ];
    onSent = (event, inbox) => {
      const error = errors.shift();
      return error ? Promise.reject(error) : inbox.record(event);
    };
    await process.send(1, 1);

    await waitFor(async () => (await recorded()).length === 1, { what: 'the third try' });
    expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(await letters.list({ limit: 10 })).toEqual([]);
  });

  it('stops when the attempts are exhausted', async () => {
    onSent = () => Promise.reject(new TransientError({ code: 'mail-away', detail: 'No answer.' }));
    await process.send(1, 1);

    await buried(1);
    expect(deliveries).toHaveLength(3);
    expect(await letters.list({ limit: 10 })).toMatchObject([
      { attempts: 3, reason: 'TransientError: No answer.' },
    ]);
  });

  it('stops at once after a permanent error, with the reason and the stack', async () => {
    onSent = () => Promise.reject(new TypeError('cannot read NUL \u0000 of parcel'));
    const [id] = await process.send(1, 1);

    await buried(1);
    expect(deliveries).toHaveLength(1);
    const [letter] = await letters.list({ limit: 10 });
    expect(letter).toMatchObject({
      eventId: id,
      consumer: 'post',
      name: 'parcel.sent',
      attempts: 1,
      reason: 'TypeError: cannot read NUL  of parcel',
    });
    expect(letter?.stack).toContain('messaging-consuming.spec');
    await waitFor(async () => (await letters.count()) === 1);
  });

  it('replays a dead letter for the consumer that failed, and for no other', async () => {
    onLost = (event, inbox) =>
      event.consumer === 'post' ? Promise.reject(new Error('bad')) : inbox.record(event);
    await lose(1);
    await buried(1);
    await waitFor(async () => (await recorded()).length === 1, { what: 'the other consumer' });
    deliveries = [];
    onLost = (event, inbox) => inbox.record(event);
    const [letter] = await letters.list({ limit: 10 });

    expect(await letters.replay(letter!.id)).toBe(1);

    await waitFor(async () => (await recorded()).length === 2, { what: 'the replayed event' });
    expect(await letters.list({ limit: 10 })).toEqual([]);
    expect(await letters.replay(letter!.id)).toBe(0);
    expect(await letters.replay('no-such-id')).toBe(0);
  });

  it('replays events that were deleted long ago, for the right consumer', async () => {
    onLost = () => Promise.reject(new Error('bad'));
    await lose(1);
    await lose(2);
    await buried(4);
    await process.database.execute({
      text: `DELETE FROM dead_letters WHERE consumer = 'insurance' AND payload->>'number' = '2'`,
    });
    await process.database.execute({ text: 'DELETE FROM outbox_events' });
    deliveries = [];
    onLost = (event, inbox) => inbox.record(event);

    expect(await letters.replayAll()).toBe(3);

    await waitFor(async () => (await recorded()).length === 3, { what: 'the replayed events' });
    expect(
      deliveries.map(({ consumer, payload }) => `${consumer} ${(payload as Parcel).number}`).toSorted(),
    ).toEqual(['insurance 1', 'post 1', 'post 2']);
    expect(deliveries.every(({ key }) => key?.startsWith('parcel-'))).toBe(true);
  });

  it('makes a dead letter again of an event that fails again after its replay', async () => {
    onSent = () => Promise.reject(new Error('bad'));
    await process.send(1, 1);
    await buried(1);
    const [first] = await letters.list({ limit: 10 });
    await letters.replayAll();

    const [second] = await waitFor(async () => {
      const found = await letters.list({ limit: 10 });
      return found.length === 1 && found;
    });
    expect(second?.id).not.toBe(first?.id);
    expect(second?.eventId).toBe(first?.eventId);
  });

  it('makes no dead letter of an event that another worker handled meanwhile', async () => {
    onSent = (event, inbox) => inbox.record(event);
    await process.send(1, 1);
    await waitFor(async () => (await recorded()).length === 1, { what: 'the event' });
    await letters.record(deliveries[0]!, new Error('too late'));

    expect(await letters.list({ limit: 10 })).toEqual([]);
  });

  it('lists dead letters page by page, newest first, and by consumer', async () => {
    onSent = () => Promise.reject(new Error('bad'));
    onLost = () => Promise.reject(new Error('bad'));
    await process.send(1, 3);
    await lose(4);
    await buried(5);

    const first = await letters.list({ limit: 3 });
    const rest = await letters.list({ limit: 3, cursor: first.at(-1)!.id });
    expect(first).toHaveLength(3);
    expect(rest).toHaveLength(2);
    const ids = [...first, ...rest].map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect(await letters.list({ limit: 10, consumer: 'insurance' })).toMatchObject([{ name: 'parcel.lost' }]);
  });
});
