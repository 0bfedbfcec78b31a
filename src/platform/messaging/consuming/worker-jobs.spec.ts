import { Logger } from '@nestjs/common';
import { DelayedError, UnrecoverableError, WaitingError, type Job, type JobsOptions } from 'bullmq';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../../config/index.js';
import { TransientError } from '../../errors/index.js';
import type { DeliveredEvent } from '../events.js';
import { CRASHES_ALLOWED, WorkerJobs } from './worker-jobs.js';

type Handler = (event: DeliveredEvent) => Promise<void>;

const transient = new TransientError({ code: 'away', detail: 'Away.' });

describe('the jobs of a worker', () => {
  let handler: Handler;
  let scheduled: () => Promise<void>;
  let buried: { event: DeliveredEvent; error: unknown; attempts: number }[];
  let bury: () => Promise<void>;
  let outcomes: string[];
  let jobs: WorkerJobs;

  beforeEach(() => {
    for (const level of ['log', 'warn', 'error'] as const)
      vi.spyOn(Logger.prototype, level).mockReturnValue();
    handler = () => Promise.resolve();
    scheduled = () => Promise.resolve();
    buried = [];
    bury = () => Promise.resolve();
    outcomes = [];
    jobs = new WorkerJobs(
      {
        consumers: new Map([
          ['post', { handlers: new Map([['parcel.sent', (event: DeliveredEvent) => handler(event)]]) }],
        ]),
        schedules: new Map([['sweep', { name: 'sweep', run: () => scheduled() }]]),
      } as never,
      {
        record: async (event: DeliveredEvent, error: unknown, attempts: number) => {
          await bury();
          buried.push({ event, error, attempts });
        },
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

  it('are put back untouched once the process takes no more', async () => {
    handler = vi.fn<Handler>();
    jobs.stopTaking();
    const late = job();
    await expect(jobs.run('post', late, 'token')).rejects.toBeInstanceOf(WaitingError);
    expect(late.back).toEqual(['token']);
    expect(handler).not.toHaveBeenCalled();
  });

  it('are tried again after a transient error while there are attempts left, and buried after the last', async () => {
    handler = () => Promise.reject(transient);
    await expect(jobs.run('post', job({ attemptsMade: 1, attemptsStarted: 2 }), 't')).rejects.toBe(transient);
    expect(buried).toEqual([]);
    await expect(jobs.run('post', job({ attemptsMade: 2, attemptsStarted: 3 }), 't')).rejects.toBeInstanceOf(
      UnrecoverableError,
    );
    expect(buried).toMatchObject([{ error: transient, attempts: 3 }]);
    expect(outcomes).toEqual(['retried', 'dead']);
  });

  it('are buried at once after any other error', async () => {
    handler = () => Promise.reject(new TypeError('bug'));
    await expect(jobs.run('post', job(), 't')).rejects.toThrow(new UnrecoverableError('bug'));
    expect(buried).toHaveLength(1);
  });

  it('stay when not even the dead letter can be written', async () => {
    const bug = new TypeError('bug');
    handler = () => Promise.reject(bug);
    bury = () => Promise.reject(transient);
    await expect(jobs.run('post', job(), 't')).rejects.toBe(bug);
    expect(outcomes).toEqual(['retried']);
  });

  it('wait for a newer version when this one has no handler for the event', async () => {
    await expect(jobs.run('post', job({ name: 'parcel.kept' }), 't')).rejects.toThrow(
      'no handler for parcel.kept',
    );
    expect(buried).toEqual([]);
    await expect(
      jobs.run('post', job({ name: 'parcel.kept', attemptsMade: 2, attemptsStarted: 3 }), 't'),
    ).rejects.toBeInstanceOf(UnrecoverableError);
    expect(buried).toHaveLength(1);
  });

  it('are buried without another run when the process has died too often while it ran them', async () => {
    handler = vi.fn<Handler>(() => Promise.resolve());
    await jobs.run('post', job({ attemptsMade: 1, attemptsStarted: CRASHES_ALLOWED + 2 }), 't');
    expect(handler).toHaveBeenCalledOnce();
    await expect(
      jobs.run('post', job({ attemptsMade: 1, attemptsStarted: CRASHES_ALLOWED + 3 }), 't'),
    ).rejects.toThrow('died 26 times');
    expect(handler).toHaveBeenCalledOnce();
    expect(buried).toHaveLength(1);
  });

  it('hear when they must stop, before or after they ask for the signal, and go back whatever they end with', async () => {
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    handler = async (event) => {
      expect(event.signal).toBe(event.signal);
      start();
      await new Promise((resolve) => event.signal.addEventListener('abort', resolve));
      throw new Error('stopped');
    };
    const stopped = job();
    const running = jobs.run('post', stopped, 'token');
    await started;
    expect(jobs.active).toBe(1);
    jobs.abort();
    await expect(running).rejects.toBeInstanceOf(WaitingError);
    expect(stopped.back).toEqual(['token']);
    expect(buried).toEqual([]);
    expect(outcomes).toEqual(['handed-back']);
    expect(jobs.active).toBe(0);
  });

  it('can be put back while they still run', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    handler = () => gate;
    const stuck = job();
    const running = jobs.run('post', stuck, 'token');
    expect(await jobs.handBackAll()).toBe(1);
    expect(stuck.back).toEqual(['token']);
    open();
    await running;
  });

  describe('that are scheduled', () => {
    const run = (change: Partial<Job> = {}): Promise<void> =>
      jobs.run('post', job({ name: 'sweep', repeatJobKey: 'sweep', data: {}, ...change }), 't');

    it('run their method', async () => {
      await run();
      expect(outcomes).toEqual(['done']);
    });

    it('only report a failure: the next run comes anyway', async () => {
      scheduled = () => Promise.reject(new Error('no'));
      await run();
      expect(outcomes).toEqual(['failed']);
      expect(buried).toEqual([]);
    });

    it('do not run twice at once in a process', async () => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      scheduled = () => gate;
      const first = run();
      await run();
      expect(outcomes).toEqual([]);
      open();
      await first;
      expect(outcomes).toEqual(['done']);
    });

    it('go round among the workers when only another version knows them, until the next run is due', async () => {
      const moveToDelayed = vi.fn(() => Promise.resolve());
      const opts = { repeat: { every: 60_000 } } as JobsOptions;
      const unknown = (attemptsStarted: number) =>
        job({ name: 'elsewhere', repeatJobKey: 'elsewhere', opts, attemptsStarted, moveToDelayed });
      const [first, tenth, last] = [unknown(1), unknown(10), unknown(120)];
      await expect(jobs.run('post', first, 't')).rejects.toThrow(WaitingError);
      expect(first.back).toEqual(['t']);
      await expect(jobs.run('post', tenth, 't')).rejects.toThrow(DelayedError);
      expect(moveToDelayed).toHaveBeenCalledOnce();
      await jobs.run('post', last, 't');
      expect(last.back).toEqual([]);
      expect(moveToDelayed).toHaveBeenCalledOnce();
    });

    it('run however often workers that do not know them have offered them', async () => {
      await run({ attemptsStarted: 7_000 });
      expect(outcomes).toEqual(['done']);
    });

    it('are skipped when they kill the process', async () => {
      await run({ stalledCounter: CRASHES_ALLOWED + 1 });
      expect(outcomes).toEqual([]);
    });
  });
});
