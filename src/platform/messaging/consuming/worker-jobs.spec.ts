import { Logger } from '@nestjs/common';
import { DelayedError, UnrecoverableError, WaitingError, type Job, type JobsOptions } from 'bullmq';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../../config/index.js';
import { newId, RequestContext } from '../../context/index.js';
import { BusinessRuleError, TransientError } from '../../errors/index.js';
import type { DeliveredEvent } from '../events.js';
import type { Topology } from '../topology/topology.js';
import { CRASHES_ALLOWED, WorkerJobs } from './worker-jobs.js';

type Handler = (event: DeliveredEvent) => Promise<void>;

const transient = new TransientError({ code: 'away', detail: 'Away.' });

describe('the jobs of a worker', () => {
  let handler: Handler;
  let scheduled: () => Promise<void>;
  let plain: (job: Job, token?: string, signal?: AbortSignal) => Promise<unknown>;
  let buried: { event: DeliveredEvent; error: unknown; options: unknown }[];
  let seen: string[];
  let bury: () => Promise<void>;
  let outcomes: string[];
  let topology: Topology;
  let jobs: WorkerJobs;

  beforeEach(() => {
    for (const level of ['log', 'warn', 'error'] as const)
      vi.spyOn(Logger.prototype, level).mockReturnValue();
    handler = () => Promise.resolve();
    scheduled = () => Promise.resolve();
    plain = () => Promise.reject(new Error('a plain processor was asked'));
    buried = [];
    seen = [];
    bury = () => Promise.resolve();
    outcomes = [];
    jobs = new WorkerJobs(
      (topology = {
        consumers: new Map([
          [
            'post',
            { handlers: new Map([['parcel.sent', { run: (event: DeliveredEvent) => handler(event) }]]) },
          ],
        ]),
        schedules: new Map([['sweep', { name: 'sweep', run: () => scheduled() }]]),
      } as unknown as Topology),
      {
        record: async (event: DeliveredEvent, error: unknown, options: unknown) => {
          await bury();
          buried.push({ event, error, options });
        },
      } as never,
      {
        seen: async ({ id }: DeliveredEvent) => seen.includes(id),
        record: async ({ id }: DeliveredEvent) => seen.push(id),
      } as never,
      {
        delivered: (_event: string, _consumer: string, outcome: string) => outcomes.push(outcome),
        scheduled: { inc: ({ outcome }: { outcome: string }) => outcomes.push(outcome) },
      } as never,
      { ran: () => Promise.resolve() } as never,
      { handling: () => undefined } as never,
      loadSettings({}),
    );
  });

  const job = (change: Partial<Job> = {}): Job & { back: string[] } => {
    const back: string[] = [];
    return {
      id: 'event-1',
      name: 'parcel.sent',
      data: { payload: { number: 1 }, key: null, occurredAt: Date.now(), requestId: 'request-1' },
      opts: { attempts: 3 },
      attemptsMade: 0,
      attemptsStarted: 1,
      stalledCounter: 0,
      moveToWait: (token: string) => {
        back.push(token);
        return Promise.resolve(0);
      },
      back,
      ...change,
    } as unknown as Job & { back: string[] };
  };

  it('are returned once the process takes no more', async () => {
    handler = vi.fn<Handler>();
    jobs.stopTaking();
    const late = job();
    await expect(jobs.run('post', late, 'token', plain)).rejects.toBeInstanceOf(WaitingError);
    expect(late.back).toEqual(['token']);
    expect(handler).not.toHaveBeenCalled();
  });

  it('are retried after a transient error, and dead letters after the last attempt', async () => {
    handler = () => Promise.reject(transient);
    await expect(jobs.run('post', job({ attemptsMade: 1, attemptsStarted: 2 }), 't', plain)).rejects.toBe(
      transient,
    );
    expect(buried).toEqual([]);
    await expect(
      jobs.run('post', job({ attemptsMade: 2, attemptsStarted: 3 }), 't', plain),
    ).rejects.toBeInstanceOf(UnrecoverableError);
    expect(buried).toMatchObject([{ error: transient, event: { attempt: 3 } }]);
    expect(outcomes).toEqual(['retried', 'dead']);
  });

  it('are dead letters at once after any other error', async () => {
    handler = () => Promise.reject(new TypeError('bug'));
    await expect(jobs.run('post', job(), 't', plain)).rejects.toThrow(new UnrecoverableError('bug'));
    expect(buried).toHaveLength(1);
  });

  it('are kept when the dead letter cannot be written', async () => {
    const bug = new TypeError('bug');
    handler = () => Promise.reject(bug);
    bury = () => Promise.reject(transient);
    await expect(jobs.run('post', job(), 't', plain)).rejects.toBe(bug);
    expect(outcomes).toEqual(['retried']);
  });

  it('wait for a newer version when this one has no handler for the event', async () => {
    await expect(jobs.run('post', job({ name: 'parcel.kept' }), 't', plain)).rejects.toThrow(
      'no handler for parcel.kept',
    );
    expect(buried).toEqual([]);
    await expect(
      jobs.run('post', job({ name: 'parcel.kept', attemptsMade: 2, attemptsStarted: 3 }), 't', plain),
    ).rejects.toBeInstanceOf(UnrecoverableError);
    expect(buried).toHaveLength(1);
  });

  it('are dead letters without another run when the process has died too often while it ran them', async () => {
    handler = vi.fn<Handler>(() => Promise.resolve());
    await jobs.run('post', job({ stalledCounter: CRASHES_ALLOWED }), 't', plain);
    expect(handler).toHaveBeenCalledOnce();
    await expect(jobs.run('post', job({ stalledCounter: CRASHES_ALLOWED + 1 }), 't', plain)).rejects.toThrow(
      'died 26 times',
    );
    expect(handler).toHaveBeenCalledOnce();
    expect(buried).toHaveLength(1);
  });

  it('are aborted, before or after they read the signal, and returned with any outcome', async () => {
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    handler = async (event) => {
      expect(event.signal).toBe(event.signal);
      start();
      await new Promise((resolve) => event.signal.addEventListener('abort', resolve));
      throw new Error('stopped');
    };
    const stopped = job();
    const running = jobs.run('post', stopped, 'token', plain);
    await started;
    expect(jobs.active).toBe(1);
    jobs.abort();
    await expect(running).rejects.toBeInstanceOf(WaitingError);
    expect(stopped.back).toEqual(['token']);
    expect(buried).toEqual([]);
    expect(outcomes).toEqual(['handed-back']);
    expect(jobs.active).toBe(0);
  });

  it('can be returned while they still run', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    handler = () => gate;
    const stuck = job();
    const running = jobs.run('post', stuck, 'token', plain);
    expect(await jobs.handBackAll()).toBe(1);
    expect(stuck.back).toEqual(['token']);
    open();
    await running;
  });

  it('are retried as often, and as soon, as their handler says', async () => {
    handler = () => Promise.reject(transient);
    const { handlers } = topology.consumers.get('post')!;
    handlers.set('parcel.sent', { ...handlers.get('parcel.sent')!, attempts: 1, backoff: 5 });
    const once = job();
    await expect(jobs.run('post', once, 't', plain)).rejects.toBeInstanceOf(UnrecoverableError);
    expect(once.opts).toMatchObject({ attempts: 1, backoff: { type: 'fixed', delay: 5 } });
  });

  describe('of a plain queue', () => {
    const run = (change: Partial<Job> = {}): Promise<unknown> =>
      jobs.run(
        'thumbnails',
        job({ id: newId(), opts: relayed, timestamp: Date.now(), ...change }),
        't',
        plain,
      );
    const relayed = { attempts: 3, telemetry: { metadata: '{"requestId":"request-1","traceparent":null}' } };

    it('are given to the processor, once', async () => {
      const process = vi.fn<typeof plain>(async () => 'done');
      plain = process;
      const id = newId();
      expect(await run({ id })).toBe('done');
      expect(await run({ id })).toBeUndefined();
      expect(process).toHaveBeenCalledOnce();
    });

    it('are run each time when another application adds them, with repeated ids', async () => {
      const process = vi.fn<typeof plain>(async () => 'done');
      plain = process;
      await run({ id: '1', opts: {} });
      await run({ id: '1', opts: {} });
      expect(process).toHaveBeenCalledTimes(2);
      expect(seen).toEqual([]);
    });

    it('are retried after any error of a library, and dead letters after the last attempt', async () => {
      const unknown = new RangeError('image is broken');
      plain = () => Promise.reject(unknown);
      await expect(run()).rejects.toBe(unknown);
      await expect(run({ attemptsMade: 2, attemptsStarted: 3 })).rejects.toBeInstanceOf(UnrecoverableError);
      expect(buried).toMatchObject([{ error: unknown, options: { attempts: 3 } }]);
    });

    it.each([
      new UnrecoverableError('no such image'),
      new BusinessRuleError({ code: 'too-large', detail: '', status: 409 }),
    ])('are dead letters at once after an error that rules out a retry: %s', async (error) => {
      plain = () => Promise.reject(error);
      await expect(run()).rejects.toBeInstanceOf(UnrecoverableError);
      expect(buried).toHaveLength(1);
    });

    it('may move their job themselves, as BullMQ documents', async () => {
      plain = () => Promise.reject(new DelayedError());
      await expect(run()).rejects.toBeInstanceOf(DelayedError);
      expect(outcomes).toEqual(['handed-back']);
    });

    it('are aborted when the worker stops', async () => {
      const { promise: started, resolve: start } = Promise.withResolvers<void>();
      plain = async (_job, _token, signal) => {
        start();
        await new Promise((resolve) => signal!.addEventListener('abort', resolve));
        throw new Error('stopped');
      };
      const running = run();
      await started;
      jobs.abort();
      await expect(running).rejects.toBeInstanceOf(WaitingError);
      expect(buried).toEqual([]);
    });
  });

  describe('that are scheduled', () => {
    const run = (change: Partial<Job> = {}): Promise<unknown> =>
      jobs.run('post', job({ name: 'sweep', repeatJobKey: 'sweep', data: {}, ...change }), 't', plain);

    it('run their method', async () => {
      await run();
      expect(outcomes).toEqual(['done']);
    });

    it('only report a failure, because the next run follows anyway', async () => {
      scheduled = () => Promise.reject(new Error('no'));
      await run();
      expect(outcomes).toEqual(['failed']);
      expect(buried).toEqual([]);
    });

    it('are returned, without a failure, when the process shuts down', async () => {
      scheduled = () => new Promise((_, stop) => RequestContext.current()!.onAbort(stop));
      const stopped = job({ name: 'sweep', repeatJobKey: 'sweep', data: {} });
      const running = jobs.run('post', stopped, 'token', plain);
      jobs.abort();
      await expect(running).rejects.toBeInstanceOf(WaitingError);
      expect(stopped.back).toEqual(['token']);
      expect(outcomes).toEqual([]);
    });

    it('do not run concurrently in a process', async () => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      scheduled = () => gate;
      const first = run();
      await run();
      expect(outcomes).toEqual([]);
      open();
      await first;
      expect(outcomes).toEqual(['done']);
    });

    it('are passed between workers when only another version knows them, until the next run is due', async () => {
      const moveToDelayed = vi.fn(() => Promise.resolve());
      const opts = { repeat: { every: 60_000 } } as JobsOptions;
      const unknown = (attemptsStarted: number) =>
        job({ name: 'elsewhere', repeatJobKey: 'elsewhere', opts, attemptsStarted, moveToDelayed });
      const [first, tenth, last] = [unknown(1), unknown(10), unknown(120)];
      await expect(jobs.run('post', first, 't', plain)).rejects.toThrow(WaitingError);
      expect(first.back).toEqual(['t']);
      await expect(jobs.run('post', tenth, 't', plain)).rejects.toThrow(DelayedError);
      expect(moveToDelayed).toHaveBeenCalledOnce();
      await jobs.run('post', last, 't', plain);
      expect(last.back).toEqual([]);
      expect(moveToDelayed).toHaveBeenCalledOnce();
    });

    it('with a pattern are passed between workers for their whole interval', async () => {
      const due = Date.parse('2026-07-01T12:00:00Z');
      vi.spyOn(Date, 'now').mockReturnValue(due + 50 * 60_000);
      const opts = { repeat: { pattern: '0 * * * *', tz: 'UTC' }, prevMillis: due } as JobsOptions;
      // Ten starts take five seconds.
      const offered = (minutes: number) =>
        job({
          name: 'elsewhere',
          repeatJobKey: 'elsewhere',
          opts,
          attemptsStarted: minutes * 120,
          moveToDelayed: () => Promise.resolve(),
        });
      await expect(jobs.run('post', offered(50), 't', plain)).rejects.toThrow(DelayedError);
      await jobs.run('post', offered(60), 't', plain);
    });

    it('run even after many offers by workers that do not know them', async () => {
      await run({ attemptsStarted: 7_000 });
      expect(outcomes).toEqual(['done']);
    });

    it('are skipped when they crash the process', async () => {
      await run({ stalledCounter: CRASHES_ALLOWED + 1 });
      expect(outcomes).toEqual([]);
    });
  });
});
