import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../src/config/index.js';
import {
  EventConsumer,
  EventProcessor,
  Handles,
  Scheduled,
  type DeliveredEvent,
} from '../../src/platform/messaging/index.js';
import { RedisConnection } from '../../src/platform/redis/index.js';
import { startRedis, startTcpProxy, type RedisServer, type TcpProxy } from '../../local/servers/index.js';
import { waitFor } from '../../local/wait-for.js';
import { openMessagingRoom, parcelSent, type MessagingRoom, type Parcel } from './messaging-room.js';

let begun = 0;
let handled: number[] = [];
let ticks = 0;
let gate: Promise<void> = Promise.resolve();

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent(event: DeliveredEvent<Parcel>): Promise<void> {
    begun += 1;
    await gate;
    if (await this.inbox.once(event, () => Promise.resolve())) handled.push(event.payload.number);
  }

  @Scheduled({ name: 'tick', every: 200, queue: 'post' })
  async tick(): Promise<void> {
    ticks += 1;
  }
}

async function command(server: RedisServer, ...words: [string, ...string[]]): Promise<unknown> {
  const client = new Redis(server.url());
  try {
    return await client.call(...words);
  } finally {
    client.disconnect();
  }
}

describe('after a failover of Redis', () => {
  let room: MessagingRoom;
  let replica: RedisServer;
  let proxy: TcpProxy;

  beforeEach(async () => {
    begun = 0;
    handled = [];
    ticks = 0;
    gate = Promise.resolve();
    [room, replica] = await Promise.all([openMessagingRoom(), startRedis()]);
    proxy = await startTcpProxy(room.redis.port);
    await command(replica, 'REPLICAOF', '127.0.0.1', String(room.redis.port));
    await waitFor(
      async () => String(await command(replica, 'INFO', 'replication')).includes('master_link_status:up'),
      { what: 'the replica' },
    );
  });

  afterEach(async () => {
    await room?.close();
    await Promise.all([proxy?.stop(), replica?.stop()]);
  });

  const url = (): string => `redis://127.0.0.1:${proxy.port}`;

  /** As a managed Redis does it: the replica is promoted, the old primary demoted, and the address moves. No connection is closed. */
  const failOver = async (): Promise<void> => {
    // Redis replicates asynchronously: a write that the replica has not got yet would be lost.
    const client = new Redis(room.redis.url());
    await client.set('caught-up', '1');
    expect(await client.wait(1, 20_000)).toBe(1);
    client.disconnect();
    await command(replica, 'REPLICAOF', 'NO', 'ONE');
    await command(room.redis, 'REPLICAOF', '127.0.0.1', String(replica.port));
    proxy.pointTo(replica.port);
  };

  const all = (count: number): Promise<unknown> =>
    waitFor(() => new Set(handled).size >= count, { within: 60_000, what: `${count} handled events` });

  it('workers move to the new primary: events are relayed and handled, schedules run', async () => {
    const worker = await room.process({ providers: [PostProcessor], env: { REDIS_URL: url() } });
    await worker.send(1, 5);
    await all(5);

    await failOver();
    await worker.send(6, 10);

    await all(10);
    expect(handled.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const before = ticks;
    // A tick that began between the two primaries is taken over when its lock has expired.
    await waitFor(() => ticks > before + 2, { within: 60_000, what: 'the schedule' });
    await waitFor(() => !worker.runtime.status().relayProblem, { what: 'the relay without a problem' });
  });

  it('a job that ran meanwhile finishes, and is not run again', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const worker = await room.process({ providers: [PostProcessor], env: { REDIS_URL: url() } });
    await worker.send(1, 3);
    await waitFor(() => begun === 3, { what: 'the jobs' });

    await failOver();
    resolve();

    await all(3);
    const unfinished = ['active', 'wait'].map((list) => `{holdfast}:post:${list}`);
    await waitFor(async () => (await command(replica, 'EXISTS', ...unfinished)) === 0, {
      what: 'the ends of the jobs being recorded',
    });
    expect(begun).toBe(3);
  });

  it('requests find the new primary', async () => {
    vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const redis = new RedisConnection(loadSettings({ REDIS_URL: url() }));
    await redis.onModuleInit();
    await waitFor(() => redis.run((client) => client.set('primary', 'old')), { what: 'a connection' });

    await failOver();

    await waitFor(() => redis.run((client) => client.set('primary', 'new')), { what: 'a write' });
    expect(await command(replica, 'GET', 'primary')).toBe('new');
    redis.onApplicationShutdown();
  });
});
