import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../src/config/index.js';
import {
  EventConsumer,
  EventProcessor,
  Handles,
  type DeliveredEvent,
} from '../../src/platform/messaging/index.js';
import { RedisConnection } from '../../src/platform/redis/index.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import {
  sendRedisCommand,
  freePort,
  startRedis,
  startSentinel,
  type RedisSentinel,
  type RedisServer,
} from '../../local/servers/index.js';
import { waitFor } from '../../local/wait-for.js';
import { openMessagingRoom, parcelSent, type MessagingRoom, type Parcel } from './messaging-room.js';

let handled = new Set<number>();

@EventProcessor('post')
class PostProcessor extends EventConsumer {
  @Handles(parcelSent)
  async onParcelSent({ payload }: DeliveredEvent<Parcel>): Promise<void> {
    handled.add(payload.number);
  }
}

const all = (count: number): Promise<unknown> =>
  waitFor(() => handled.size >= count, { within: 90_000, what: `${count} handled events` });

/** What a process of the api has of Redis, and the warnings of its start. */
async function connect(env: Record<string, string>): Promise<{ redis: RedisConnection; warnings: string[] }> {
  const warnings: string[] = [];
  vi.spyOn(Logger.prototype, 'warn').mockImplementation((...said: unknown[]) => {
    warnings.push(said.map(String).join(' '));
  });
  const redis = new RedisConnection(loadSettings(env));
  opened.push(redis);
  await redis.onModuleInit();
  return { redis, warnings };
}

const opened: RedisConnection[] = [];

afterEach(() => {
  for (const redis of opened.splice(0)) redis.onApplicationShutdown();
  handled = new Set();
  vi.restoreAllMocks();
});

describe('Redis with Sentinels', () => {
  let room: MessagingRoom;
  let replica: RedisServer;
  let sentinel: RedisSentinel;
  let env: Record<string, string>;

  beforeAll(async () => {
    [room, replica] = await Promise.all([openMessagingRoom(), startRedis()]);
    await sendRedisCommand(replica.port, `REPLICAOF 127.0.0.1 ${room.redis.port}`);
    await waitFor(
      async () =>
        (await sendRedisCommand(replica.port, 'INFO replication')).includes('master_link_status:up'),
      { what: 'the replica' },
    );
    sentinel = await startSentinel(room.redis);
    await waitFor(
      async () =>
        (await sendRedisCommand(sentinel.port, 'SENTINEL REPLICAS mymaster')).includes(String(replica.port)),
      { what: 'the Sentinel finding the replica' },
    );
    // One that is down comes first, as one of three usually may be.
    const sentinels = `127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}`;
    env = { REDIS_URL: 'redis://not-used.invalid', REDIS_SENTINELS: sentinels };
  });

  afterAll(async () => {
    await Promise.all([room?.close(), sentinel?.stop()]);
    await replica?.stop();
  });

  it('is found through them, and after a failover, by requests, relay, jobs and blocking reads', async () => {
    const { redis } = await connect(env);
    const worker = await room.process({ providers: [PostProcessor], env });
    await waitFor(() => redis.run((client) => client.incr('n')), { what: 'a connection' });
    await worker.send(1, 5);
    await all(5);

    await room.redis.kill();
    await worker.send(6, 10);

    await all(10);
    await waitFor(() => !worker.runtime.status().relayProblem, { what: 'the relay without a problem' });
    expect(await sendRedisCommand(replica.port, 'INFO replication')).toContain('role:master');
    await waitFor(() => redis.run((client) => client.incr('n')), { what: 'a write' });
  });
});

describe('Redis with TLS', () => {
  const NAME = 'redis.internal';
  let room: MessagingRoom;
  let server: RedisServer;
  let certificates: Certificates;
  let env: Record<string, string>;

  beforeAll(async () => {
    certificates = await makeCertificates(NAME);
    const tlsPort = await freePort();
    [room, server] = await Promise.all([
      openMessagingRoom(),
      startRedis({
        settings: {
          'tls-port': tlsPort,
          'tls-ca-cert-file': certificates.ca,
          'tls-cert-file': certificates.server.cert,
          'tls-key-file': certificates.server.key,
          'tls-auth-clients': 'yes',
        },
      }),
    ]);
    env = {
      REDIS_URL: `rediss://127.0.0.1:${tlsPort}`,
      REDIS_TLS_CA: certificates.ca,
      REDIS_TLS_CERT: certificates.client.cert,
      REDIS_TLS_KEY: certificates.client.key,
      REDIS_TLS_SERVER_NAME: NAME,
    };
  });

  afterAll(async () => {
    await Promise.all([room?.close(), server?.stop()]);
    await certificates?.remove();
  });

  it('serves requests, relay, jobs and blocking reads', async () => {
    const { redis, warnings } = await connect(env);
    await waitFor(() => redis.run((client) => client.ping()), { what: 'a connection' });
    const worker = await room.process({ providers: [PostProcessor], env });
    await worker.send(1, 5);

    await all(5);
    expect(warnings.filter((warning) => warning.includes('Redis cannot be used'))).toEqual([]);
  });

  it.each<[string, () => Record<string, string>, string]>([
    ['is from another authority', () => ({ REDIS_TLS_CA: certificates.otherCa }), 'check REDIS_TLS_CA'],
    ['is for another name', () => ({ REDIS_TLS_SERVER_NAME: 'other.internal' }), 'set REDIS_TLS_SERVER_NAME'],
    [
      'asks for a client certificate',
      () => ({ REDIS_TLS_CERT: '', REDIS_TLS_KEY: '' }),
      'set REDIS_TLS_CERT and REDIS_TLS_KEY',
    ],
  ])('is not used when its certificate %s, and the log says what to do', async (_what, change, remedy) => {
    const { redis, warnings } = await connect({ ...env, ...change() });

    await waitFor(() => warnings.some((warning) => warning.includes(remedy)), {
      what: 'the remedy in the log',
    });
    expect(warnings.join()).toContain('Redis cannot be used: ');
    expect(redis.isUsable).toBe(false);
  });
});

describe('A Redis Cluster', () => {
  it('is rejected at start, in one line', async () => {
    const cluster = await startRedis({ settings: { 'cluster-enabled': 'yes' } });
    try {
      await expect(connect({ REDIS_URL: cluster.url() })).rejects.toThrow(
        /^REDIS_URL points to a Redis Cluster, which is not supported: use one server, or Sentinels \(REDIS_SENTINELS\)$/,
      );
    } finally {
      await cluster.stop();
    }
  });
});
