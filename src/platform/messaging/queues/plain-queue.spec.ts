import type { JobsOptions } from 'bullmq';
import { describe, expect, it, vi } from 'vitest';
import { NoFlowProducer, PlainQueue, type JobWriter } from './plain-queue.js';

const enqueue = vi.fn<JobWriter['enqueue']>(async (_queue, jobs) => jobs.map((_job, i) => `id-${i}`));
const queueWith = (options: object): PlainQueue =>
  new PlainQueue('thumbnails', { writer: { enqueue }, ...options });

describe('a plain queue', () => {
  it('adds jobs to the outbox, all of a bulk at once, with the defaults of the queue', async () => {
    const queue = queueWith({ defaultJobOptions: { attempts: 2, priority: 3 } });

    const jobs = await queue.addBulk([{ name: 'make' }, { name: 'make', data: 7, opts: { attempts: 5 } }]);

    expect(enqueue).toHaveBeenCalledExactlyOnceWith('thumbnails', [
      { name: 'make', data: {}, options: { attempts: 2, priority: 3 } },
      { name: 'make', data: 7, options: { attempts: 5, priority: 3 } },
    ]);
    expect(jobs.map(({ id, queueName }) => [id, queueName])).toEqual([
      ['id-0', 'thumbnails'],
      ['id-1', 'thumbnails'],
    ]);
    expect(JSON.parse(JSON.stringify(jobs[1]))).toMatchObject({ id: 'id-1', data: 7 });
  });

  it.each<[object, string]>([
    [{ jobId: 'mine' }, 'jobId is not supported; leave it out'],
    [{ repeat: { every: 5 } }, 'repeat is not supported; schedule a method with @Scheduled'],
    [{ deduplication: { id: 'x' } }, 'deduplication is not supported; record what is in progress in a table'],
    [{ parent: { id: '1', queue: 'x' } }, 'parent is not supported; add the next job at the end'],
    [{ sizeLimit: 5 }, 'sizeLimit is not supported; leave it out'],
    [{ delay: Number.NaN }, 'delay must be milliseconds'],
    [{ delay: -1 }, 'delay must be milliseconds'],
    [{ priority: 2 ** 21 }, 'priority must be an integer from 0 to 2097151'],
    [{ attempts: 0 }, 'attempts must be an integer above 0'],
    [{ backoff: { type: 'mine', delay: 5 } }, 'backoff must be milliseconds, or'],
    [{ backoff: { type: 'fixed', delay: 5, jitter: 2 } }, 'backoff must be milliseconds, or'],
    [{ removeOnFail: 5 }, 'removeOnFail must be true or left out; failed jobs are dead letters'],
    [{ lifo: 'yes' }, 'lifo must be true or false'],
  ])('rejects an unsupported job, and then all of a bulk: %o', async (opts, message) => {
    enqueue.mockClear();
    const queue = queueWith({});
    await expect(queue.addBulk([{ name: 'good' }, { name: 'bad', opts }])).rejects.toThrow(
      `The job bad cannot be added to thumbnails: ${message}`,
    );
    expect(enqueue).not.toHaveBeenCalled();
    expect(() => queueWith({ defaultJobOptions: opts })).toThrow(`defaultJobOptions.${message}`);
  });

  it('accepts every supported option, and names without effect', async () => {
    const options: JobsOptions = {
      delay: 5,
      priority: 1,
      attempts: 3,
      backoff: { type: 'exponential', delay: 100, jitter: 0.5 },
      lifo: true,
      stackTraceLimit: 3,
      keepLogs: 10,
      removeOnComplete: true,
      removeOnFail: true,
      jobId: undefined,
    };
    await expect(queueWith({}).add('make', {}, options)).resolves.toMatchObject({ opts: options });
    await expect(queueWith({}).add('make', {}, { backoff: 1000 })).resolves.toBeDefined();
  });

  it('rejects unsupported methods, instead of doing nothing', async () => {
    const queue = queueWith({}) as never as Record<string, () => unknown>;
    for (const member of ['pause', 'getJobCounts', 'upsertJobScheduler', 'obliterate', 'on'])
      expect(queue[member]).toThrow(`Queue.${member} is not supported`);
    const job = await queueWith({}).add('make');
    expect(() => job.getState()).toThrow('Job.getState is not supported');
    await expect(queueWith({}).close()).resolves.toBeUndefined();
  });

  it.each<[object, string]>([
    [{ connection: { host: 'localhost' } }, 'connection is not supported; queues use REDIS_URL'],
    [{ configKey: 'other' }, 'configKey is not supported; queues use REDIS_URL'],
    [{ prefix: 'mine' }, 'prefix is not supported; keys begin with REDIS_PREFIX'],
    [{ processors: ['./processor.js'] }, 'processors is not supported; write a class with @Processor'],
    [{ streams: {} }, 'streams is not supported; leave it out'],
  ])('cannot be registered with unsupported options: %o', (options, message) => {
    expect(() => queueWith(options)).toThrow(`The queue thumbnails cannot be registered: ${message}`);
  });

  it('does not support flows', () => {
    expect(() => new NoFlowProducer()).toThrow('Flows are not supported');
  });
});
