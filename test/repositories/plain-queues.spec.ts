import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  BullModule,
  InjectQueue,
  OnWorkerEvent,
  Processor,
  QueueEventsHost,
  QueueEventsListener,
  WorkerHost,
} from '@nestjs/bullmq';
import { Injectable, Module, Scope, type DynamicModule, type Type } from '@nestjs/common';
import { DelayedError, Queue as BullQueue, type Job, type Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { register } from 'prom-client';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RequestContext } from '../../src/platform/context/index.js';
import { BusinessRuleError } from '../../src/platform/errors/index.js';
import { DeadLetters } from '../../src/platform/messaging/index.js';
import { Queues } from '../../src/platform/messaging/queues/queues.js';
import { waitFor } from '../../local/wait-for.js';
import { openMessagingRoom, type MessagingProcess, type MessagingRoom } from './messaging-room.js';

interface Song {
  foo: string;
}

type Work = (job: Job<Song>, token?: string, signal?: AbortSignal) => Promise<unknown>;

let work: Work;
let started: Job<Song>[] = [];
let done: string[] = [];
let heard: string[] = [];

// As Nest's documentation has it (docs.nestjs.com/techniques/queues), with what the test looks at inside.

@Processor('audio')
class AudioConsumer extends WorkerHost {
  async process(job: Job<Song>, token?: string, signal?: AbortSignal): Promise<unknown> {
    switch (job.name) {
      case 'transcode': {
        started.push(job);
        for (let progress = 0; progress < 100; progress += 50) await job.updateProgress(progress);
        const result = await work(job, token, signal);
        done.push(job.data.foo);
        return result;
      }
      default:
        return {};
    }
  }

  @OnWorkerEvent('completed')
  onCompleted(job: Job<Song>): void {
    heard.push(job.data.foo);
  }
}

let mostAtOnce = 0;
let processors: object[] = [];

@Processor({ name: 'video', scope: Scope.REQUEST }, { concurrency: 1, limiter: { max: 2, duration: 100 } })
class VideoConsumer extends WorkerHost {
  private static running = 0;

  async process(job: Job<Song>): Promise<void> {
    mostAtOnce = Math.max(mostAtOnce, ++VideoConsumer.running);
    processors.push(this);
    await work(job);
    VideoConsumer.running -= 1;
    done.push(job.data.foo);
  }
}

@Injectable()
class VideoService {
  constructor(@InjectQueue('video') readonly queue: Queue) {}
}

@Module({
  imports: [BullModule.registerQueueAsync({ name: 'video', useFactory: () => ({}) })],
  providers: [VideoService, VideoConsumer],
})
class VideoModule {}

@Injectable()
class AudioService {
  constructor(@InjectQueue('audio') readonly audioQueue: Queue) {}
}

@Module({
  imports: [BullModule.registerQueue({ name: 'audio' })],
  providers: [AudioService, AudioConsumer],
  exports: [AudioService],
})
class AudioModule {}

describe('a queue as Nest documents it', () => {
  let room: MessagingRoom;

  beforeEach(async () => {
    work = async () => undefined;
    started = [];
    done = [];
    heard = [];
    mostAtOnce = 0;
    processors = [];
    room = await openMessagingRoom();
  });

  afterEach(() => room.close());

  const plain = { events: [], queues: [], imports: [AudioModule] };
  const api = (): Promise<MessagingProcess> => room.process({ ...plain, role: 'api' });
  const worker = (env: Record<string, string> = {}): Promise<MessagingProcess> =>
    room.process({ ...plain, env });
  const queueOf = ({ app }: MessagingProcess): Queue => app.get(AudioService).audioQueue;
  const allDone = (count: number): Promise<unknown> =>
    waitFor(() => done.length >= count, { within: 60_000, what: `${count} jobs` });

  it('runs in the worker what the api has added, and not in the api', async () => {
    const { app, database } = await api();
    const job = await app.get(AudioService).audioQueue.add('transcode', { foo: 'bar' });

    expect(job).toMatchObject({ name: 'transcode', data: { foo: 'bar' } });
    expect(JSON.parse(JSON.stringify(job))).toMatchObject({ id: job.id });
    await delay(200);
    expect(started).toEqual([]);
    const redis = new Redis(room.redis.url());
    expect(await redis.keys('*audio*')).toEqual([]);
    redis.disconnect();

    await worker();
    await allDone(1);
    expect(started[0]!.id).toBe(job.id);
    await waitFor(() => heard.length === 1, { what: 'the listener' });
    await waitFor(async () => (await database.query({ text: 'SELECT 1 FROM inbox' })).length === 1);
  });

  it.each([
    [
      'a unit of work',
      ({ unitOfWork }: MessagingProcess, add: () => Promise<unknown>) => unitOfWork.run(add),
    ],
    [
      'a transaction of TypeORM',
      ({ app }: MessagingProcess, add: () => Promise<unknown>) => app.get(DataSource).transaction(add),
    ],
  ])('loses what %s has added when that rolls back, and keeps what it commits', async (_, transaction) => {
    const process = await worker();
    const queue = queueOf(process);
    const rolledBack = transaction(process, async () => {
      await queue.add('transcode', { foo: 'never' });
      await queue.addBulk([{ name: 'transcode', data: { foo: 'never' } }]);
      throw new Error('no');
    });
    await expect(rolledBack).rejects.toThrow('no');
    await transaction(process, () =>
      queue.addBulk(['a', 'b', 'c'].map((foo) => ({ name: 'transcode', data: { foo } }))),
    );

    await allDone(3);
    expect(done.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('refuses jobs beside a transaction of a query runner, whose rollback they would survive', async () => {
    const process = await api();
    const dataSource = process.app.get(DataSource);
    const queue = queueOf(process);
    const add = () => queue.add('transcode', { foo: 'bar' });
    const added = async () => (await dataSource.query<[object?]>('SELECT 1 FROM outbox_events')).length;

    for (const end of ['rollbackTransaction', 'commitTransaction', 'release'] as const) {
      const runner = dataSource.createQueryRunner();
      await runner.startTransaction();
      await expect(add()).rejects.toThrow('Use dataSource.transaction()');
      // A unit of work of its own says that the job is not a part of that transaction.
      await process.unitOfWork.run(add);
      await runner[end]();
      await runner.release();
      await add();
    }
    expect(await added()).toBe(6);
  });

  it('accepts jobs beside a transaction that another branch of the same request has begun', async () => {
    const process = await api();
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const runner = process.app.get(DataSource).createQueryRunner();
    const branch = async () => {
      await runner.connect();
      await runner.startTransaction();
      begun.resolve();
      await gate.promise;
      await runner.rollbackTransaction();
      await runner.release();
    };

    await new RequestContext('r-1', Infinity).run(async () => {
      const ended = branch();
      try {
        await begun.promise;
        await queueOf(process).add('transcode', { foo: 'bar' });
      } finally {
        gate.resolve();
        await ended;
      }
    });
  });

  it('accepts jobs while Redis is down, and runs them when it is back', async () => {
    const process = await api();
    await room.redis.kill();
    await queueOf(process).add('transcode', { foo: 'patient' });
    await worker();
    await room.redis.restart();

    await allDone(1);
  });

  it('continues after a frozen Redis', async () => {
    const process = await worker();
    room.redis.freeze();
    await queueOf(process).add('transcode', { foo: 'cold' });
    await delay(500);
    room.redis.thaw();

    await allDone(1);
  });

  it('runs jobs again that Redis has lost', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    work = () => gate;
    const process = await worker({ WORKER_CONCURRENCY: '1' });
    await queueOf(process).addBulk(['a', 'b', 'c'].map((foo) => ({ name: 'transcode', data: { foo } })));
    await waitFor(() => started.length === 1, { what: 'the first job' });
    const redis = new Redis(room.redis.url());
    await redis.flushall();
    redis.disconnect();
    open();

    await waitFor(() => new Set(done).size === 3, { within: 60_000, what: 'the lost jobs' });
  });

  it('does not run a job again that is delivered twice', async () => {
    const process = await worker();
    const job = await queueOf(process).add('transcode', { foo: 'twice' });
    await allDone(1);
    await process.database.execute({
      text: 'UPDATE outbox_events SET relayed_at = NULL, redeliver_at = NULL WHERE id = $1',
      values: [job.id],
    });
    await queueOf(process).add('transcode', { foo: 'after' });

    await waitFor(() => done.includes('after'), { what: 'the job after it' });
    expect(done).toEqual(['twice', 'after']);
  });

  it('respects delays, also long ones, and priorities', async () => {
    const process = await worker({ WORKER_CONCURRENCY: '1' });
    const queue = queueOf(process);
    const before = Date.now();
    await queue.add('transcode', { foo: 'later' }, { delay: 1500 });
    const tomorrow = await queue.add('transcode', { foo: 'tomorrow' }, { delay: 86_400_000 });
    await allDone(1);
    expect(Date.now() - before).toBeGreaterThanOrEqual(1450);
    const [row] = await process.database.query<{ due: number }>({
      text: `SELECT extract(epoch FROM redeliver_at - now())::float8 AS due FROM outbox_events WHERE id = $1`,
      values: [tomorrow.id],
    });
    expect(row!.due).toBeGreaterThan(86_000);
    await process.close();

    const other = await room.process({ ...plain, start: false, env: { WORKER_CONCURRENCY: '1' } });
    await other.database.execute({
      text: `UPDATE outbox_events SET relayed_at = now(), redeliver_at = now(), occurred_at = now() + interval '1 second' WHERE id = $1`,
      values: [tomorrow.id],
    });
    done = [];
    await queueOf(other).addBulk([
      { name: 'transcode', data: { foo: 'low' }, opts: { priority: 10 } },
      { name: 'transcode', data: { foo: 'high' }, opts: { priority: 1 } },
    ]);
    other.runtime.start();
    await waitFor(() => done.includes('tomorrow'), { what: 'the job whose time has come' });
    expect(done.filter((foo) => foo !== 'tomorrow')).toEqual(['high', 'low']);
  });

  it('retries, makes dead letters of permanent failures, and runs them again when replayed', async () => {
    const process = await worker();
    const letters = process.app.get(DeadLetters);
    work = () => Promise.reject(new RangeError('codec'));
    const job = await queueOf(process).add(
      'transcode',
      { foo: 'bad' },
      { attempts: 3, backoff: 10, priority: 7 },
    );
    await waitFor(async () => (await letters.count()) === 1, { what: 'the dead letter' });
    // It leaves its queue after its letter is written. Put back before that, it would be taken for a double of itself.
    const audio = process.app.get(Queues).get('audio');
    await waitFor(async () => (await audio.getJobCountByTypes()) === 0, { what: 'an empty queue' });
    expect(started).toHaveLength(3);
    const [letter] = await letters.list({ limit: 1 });
    expect(letter).toMatchObject({
      eventId: job.id,
      consumer: 'audio',
      name: 'transcode',
      attempts: 3,
      reason: 'RangeError: codec',
    });

    work = async () => undefined;
    await process.database.execute({ text: 'DELETE FROM outbox_events' });
    await letters.replay(letter!.id);
    await allDone(1);
    expect(started.at(-1)).toMatchObject({
      id: job.id,
      data: { foo: 'bad' },
      opts: { attempts: 3, priority: 7 },
    });
  });

  it('makes a dead letter at once of what a permanent rule forbids', async () => {
    const process = await worker();
    work = () => Promise.reject(new BusinessRuleError({ code: 'no', detail: 'No.', status: 409 }));
    await queueOf(process).add('transcode', { foo: 'bad' });
    await waitFor(async () => (await process.app.get(DeadLetters).count()) === 1, {
      what: 'the dead letter',
    });
    expect(started).toHaveLength(1);
  });

  it('runs in the context of the request that added it', async () => {
    let requestId: string | undefined;
    work = async () => {
      requestId = RequestContext.current()?.requestId;
    };
    const process = await worker();
    await new RequestContext('request-7', Infinity).run(() =>
      queueOf(process).add('transcode', { foo: 'x' }),
    );
    await allDone(1);
    expect(requestId).toBe('request-7');
  });

  it('is counted and timed like an event', async () => {
    const process = await worker();
    const sample = 'messaging_events_handled_total{event="transcode",consumer="audio",outcome="handled"}';
    const count = async (): Promise<number> =>
      Number(
        (await register.metrics())
          .split('\n')
          .find((line) => line.startsWith(sample))
          ?.split(' ')
          .at(-1) ?? 0,
      );
    const before = await count();
    await queueOf(process).add('transcode', { foo: 'counted' });

    await waitFor(async () => (await count()) === before + 1, { what: 'the count' });
  });

  it('finishes jobs when its worker stops, and returns those that do not finish', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let atWork = 0;
    work = async (job, _token, signal) => {
      atWork += 1;
      if (job.data.foo === 'short') return gate;
      await new Promise((resolve) => signal!.addEventListener('abort', resolve));
      throw new Error('stopped half-way');
    };
    const process = await worker();
    await queueOf(process).addBulk(['short', 'long'].map((foo) => ({ name: 'transcode', data: { foo } })));
    await waitFor(() => atWork === 2, { what: 'both jobs under way' });
    process.runtime.stopTaking();
    const drained = process.runtime.drain(3000);
    open();
    await drained;
    await process.close();
    expect(done).toEqual(['short']);

    work = async () => undefined;
    const other = await worker();
    await allDone(2);
    expect(await other.app.get(DeadLetters).count()).toBe(0);
  });

  it('lets a job delay itself any number of times, which does not count as a crash', async () => {
    work = async (job, token) => {
      if (started.length > 40) return;
      await job.moveToDelayed(Date.now() + 1, token);
      throw new DelayedError();
    };
    const process = await worker();
    await queueOf(process).add('transcode', { foo: 'patient' });

    await allDone(1);
    expect(await process.app.get(DeadLetters).count()).toBe(0);
  });

  it('has its jobs taken over when a worker dies', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { promise: atWork, resolve: arrive } = Promise.withResolvers<void>();
    work = () => {
      arrive();
      return gate;
    };
    const process = await worker();
    await queueOf(process).add('transcode', { foo: 'orphan' });
    await atWork;
    // What the death of a process looks like to Redis.
    (process.runtime as unknown as { connections: { close(): void } }).connections.close();
    work = async () => undefined;

    await worker();
    await allDone(1);
    // By which a job that kills its processes is found out in the end.
    expect(started.map(({ stalledCounter }) => stalledCounter)).toEqual([0, 1]);
    open();
  });

  it('shuts down in time while Redis is frozen', async () => {
    const process = await worker();
    await queueOf(process).add('transcode', { foo: 'x' });
    await allDone(1);
    room.redis.freeze();
    const before = Date.now();
    await process.runtime.drain(1500);
    await process.close();
    // Far above what the limits add up to. Without them it would never end.
    expect(Date.now() - before).toBeLessThan(20_000);
    room.redis.thaw();
  });

  it('runs jobs that another application adds, traced or not, and with any id', async () => {
    const process = await worker();
    const redis = new Redis(room.redis.url(), { maxRetriesPerRequest: null });
    const theirs = new BullQueue('audio', { connection: redis, prefix: '{holdfast}' });
    const opts = (metadata: string, jobId?: string) => ({ jobId, telemetry: { metadata } });
    const traced = '{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}';
    await theirs.add('transcode', { foo: 'plain' });
    await theirs.add('transcode', { foo: 'traced' }, opts(traced));
    await theirs.add('transcode', { foo: 'uuid' }, opts(traced, '0a0a0a0a-0000-4000-8000-000000000001'));
    await theirs.add('transcode', { foo: 'like ours' }, opts('{"requestId":"r","traceparent":null}'));
    for (const metadata of ['not JSON', 'null', '7'])
      await theirs.add('transcode', { foo: metadata }, opts(metadata));
    await allDone(7);
    expect(await process.database.query({ text: 'SELECT 1 FROM inbox' })).toEqual([]);

    work = () => Promise.reject(new BusinessRuleError({ code: 'no', detail: 'No.', status: 409 }));
    await theirs.add('transcode', { foo: 'bad' }, opts(traced));
    await waitFor(async () => (await process.app.get(DeadLetters).count()) === 1, {
      what: 'the dead letter',
    });
    await theirs.close();
    redis.disconnect();
  });

  it('respects the concurrency and rate of its processor, and creates request-scoped ones per job', async () => {
    const process = await room.process({ ...plain, imports: [VideoModule] });
    const { queue } = process.app.get(VideoService);
    work = () => delay(30);
    await queue.addBulk(['a', 'b', 'c', 'd'].map((foo) => ({ name: 'cut', data: { foo } })));

    await allDone(4);
    expect(mostAtOnce).toBe(1);
    expect(new Set(processors).size).toBe(4);
  });
});

describe('an unsupported queue stops its process at start', () => {
  let room: MessagingRoom;

  beforeAll(async () => {
    room = await openMessagingRoom();
  });

  afterAll(() => room.close());

  const processor = (queue: string, options: object = {}): Type => {
    @Processor(queue, options)
    class LooseProcessor extends WorkerHost {
      process = () => Promise.resolve();
    }
    return LooseProcessor;
  };

  @QueueEventsListener('audio')
  class AudioEventsListener extends QueueEventsHost {}

  it.each<[string, (DynamicModule | Type)[], Type[], string]>([
    ['no processor', [BullModule.registerQueue({ name: 'audio' })], [], 'queue audio has no processor'],
    ['two processors', [AudioModule], [processor('audio')], 'queue audio has 2 processors; keep one'],
    ['a processor alone', [], [processor('audio')], 'serves the queue audio, which no feature registers'],
    [
      'worker options',
      [BullModule.registerQueue({ name: 'audio' })],
      [processor('audio', { drainDelay: 5 })],
      'the processor of the queue audio sets drainDelay, which is not supported; leave it out',
    ],
    ['a listener', [AudioModule], [AudioEventsListener], 'use @OnWorkerEvent in the processor'],
    [
      'a connection of its own',
      [BullModule.registerQueue({ name: 'audio', connection: { host: 'localhost', port: 6379 } })],
      [processor('audio')],
      'connection is not supported; queues use REDIS_URL',
    ],
    [
      'a connection for all',
      [BullModule.forRoot({ connection: { host: 'localhost', port: 6379 } }), AudioModule],
      [],
      'queues use REDIS_URL',
    ],
    [
      'a named configuration',
      [
        BullModule.forRoot('alternative-config', { connection: { port: 6381 } }),
        BullModule.registerQueue({ configKey: 'alternative-config', name: 'video' }),
      ],
      [processor('video')],
      'configKey is not supported; queues use REDIS_URL',
    ],
    [
      'sandboxed processors',
      [BullModule.registerQueue({ name: 'audio', processors: [join(import.meta.dirname, 'processor.js')] })],
      [],
      'processors is not supported; write a class with @Processor',
    ],
    ['flows', [BullModule.registerFlowProducer({ name: 'flow' })], [], 'Flows are not supported'],
  ])('%s', async (_what, imports, providers, message) => {
    await expect(room.process({ events: [], queues: [], imports, providers })).rejects.toThrow(message);
  });
});
