import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/platform/context/index.js';
import {
  EventConsumer,
  EventProcessor,
  Handles,
  Scheduled,
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

type Behaviour = (event: DeliveredEvent<Parcel>, effect: () => Promise<boolean>) => Promise<unknown>;

let behaviour: Behaviour;
let effects: number[] = [];
let started: string[] = [];

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent(event: DeliveredEvent<Parcel>): Promise<void> {
    started.push(event.id);
    await behaviour(event, async () => {
      const done = await this.inbox.once(event, () => Promise.resolve());
      if (done) effects.push(event.payload.number);
      return done;
    });
  }
}

/** Far above what the limits below add up to. Without them nothing would ever end. */
const ENDS_WITHIN_MS = 20_000;

const straight: Behaviour = (_event, effect) => effect();

/** Resolves when the event's signal says that the process can wait no longer. */
const aborted = (event: DeliveredEvent): Promise<void> =>
  new Promise((resolve) => event.signal.addEventListener('abort', () => resolve()));

describe('the shutdown of a worker', () => {
  let room: MessagingRoom;

  beforeEach(async () => {
    behaviour = straight;
    effects = [];
    started = [];
    room = await openMessagingRoom();
  });

  afterEach(() => room.close());

  const worker = (env: Record<string, string> = {}): Promise<MessagingProcess> =>
    room.process({ providers: [PostProcessor], env });

  /** At the latest when the lock of the first worker has expired. */
  const takenOver = (): Promise<unknown> =>
    waitFor(() => effects.length === 1, { within: 60_000, what: 'the other worker handling it' });

  it('finishes active jobs and takes no new ones', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    behaviour = async (_event, effect) => {
      await gate;
      await effect();
    };
    const process = await worker({ WORKER_CONCURRENCY: '2' });
    await process.send(1, 6);
    await waitFor(() => started.length === 2, { what: 'two jobs under way' });

    process.runtime.stopTaking();
    const drained = process.runtime.drain(60_000);
    open();
    await drained;
    await process.runtime.close();

    expect(effects.toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(started).toHaveLength(2);
    await worker();
    await waitFor(() => effects.length === 6, { what: 'the other worker handling the rest' });
    expect(effects.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('aborts jobs when time runs out, and those that stop are handled elsewhere without counting as failed', async () => {
    behaviour = async (event) => {
      await aborted(event);
      throw new Error('stopped half-way');
    };
    const process = await worker();
    const [id] = await process.send(1, 1);
    await waitFor(() => started.length === 1, { what: 'the job under way' });

    await process.runtime.drain(1500);
    await process.runtime.close();
    behaviour = straight;
    const other = await worker();

    await takenOver();
    expect(started).toEqual([id, id]);
    expect(await other.database.query({ text: 'SELECT 1 FROM dead_letters' })).toEqual([]);
  });

  it('aborts a scheduled run too, and another worker repeats it', async () => {
    let runs = 0;
    let stops = true;
    class DailyChores {
      @Scheduled({ name: 'sweep-roof', every: 86_400_000 })
      async sweep(): Promise<void> {
        runs += 1;
        if (stops) await new Promise((_, stop) => RequestContext.current()!.onAbort(stop));
      }
    }
    const withChores = { providers: [PostProcessor, DailyChores] };
    const process = await room.process(withChores);
    await waitFor(() => runs === 1, { what: 'the run under way' });

    await process.runtime.drain(5000);
    await process.runtime.close();
    stops = false;
    await room.process(withChores);

    await waitFor(() => runs === 2, { within: 60_000, what: 'the other worker doing it' });
  });

  it('returns a job that does not stop; what it still writes does not count', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let late: Promise<unknown> = Promise.resolve();
    behaviour = async (_event, effect) => {
      await gate;
      late = effect().catch((error: unknown) => error);
      await late;
    };
    const process = await worker();
    await process.send(1, 1);
    await waitFor(() => started.length === 1, { what: 'the job under way' });

    const before = Date.now();
    await process.runtime.drain(1500);
    expect(Date.now() - before).toBeLessThan(ENDS_WITHIN_MS);
    behaviour = straight;
    await worker();
    await takenOver();

    open();
    await waitFor(() => started.length === 2);
    expect(await late).not.toBe(true);
    expect(effects).toEqual([1]);
  });

  it('is in time while Redis is frozen', async () => {
    const process = await worker();
    await process.send(1, 1);
    await waitFor(() => effects.length === 1, { what: 'the event' });

    room.redis.freeze();
    const before = Date.now();
    await process.runtime.drain(1500);
    await process.close();
    expect(Date.now() - before).toBeLessThan(ENDS_WITHIN_MS);
    room.redis.thaw();
  });

  it('is in time when Redis was never up, or is down', async () => {
    const started = await worker();
    await started.send(1, 1);
    await waitFor(() => effects.length === 1, { what: 'the event' });
    await room.redis.kill();
    const late = await worker();

    for (const process of [started, late]) {
      const before = Date.now();
      // No job runs: nothing is worth waiting for until the limit.
      await process.runtime.drain(60_000);
      await process.close();
      expect(Date.now() - before).toBeLessThan(ENDS_WITHIN_MS);
    }
  });

  it('is replaced by other workers, which take over its jobs, when it is killed', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    behaviour = () => gate;
    const process = await worker();
    const [id] = await process.send(1, 1);
    await waitFor(() => started.length === 1, { what: 'the job under way' });
    // What the death of a process looks like to Redis.
    (process.runtime as unknown as { connections: { close(): void } }).connections.close();
    behaviour = straight;

    await worker();

    await takenOver();
    expect(started).toEqual([id, id]);
    open();
  });
});
