import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CacheFactory } from '../../src/platform/cache/index.js';
import { SharedCopies } from '../../src/platform/cache/shared-copies.js';
import { loadSettings } from '../../src/config/index.js';
import { TransientError } from '../../src/platform/errors/index.js';
import { RedisConnection } from '../../src/platform/redis/index.js';
import { startRedis, type RedisServer } from '../../local/servers/index.js';
import { createTables } from '../specimen/create-tables.js';
import { AccountsService } from '../specimen/ledger/accounts.service.js';
import { openTestDatabase, type DatabaseRoom, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../../local/wait-for.js';

/** Trusts its own copies for so long; short, so that tests need not wait. */
const LOCAL_TTL_MS = 50;
/** What a server that does not answer costs; a machine that is busy must not look like that. */
const COMMAND_TIMEOUT_MS = 2000;
const QUERY_TIMEOUT_MS = 8000;

let db: TestDatabase;
let server: RedisServer;
let a: Process;
let b: Process;

/** What one process of the api has of the accounts. */
interface Process {
  redis: RedisConnection;
  caches: CacheFactory;
  accounts: CountingAccounts;
}

class CountingAccounts extends AccountsService {
  loads = 0;

  protected override row(id: string) {
    this.loads += 1;
    return super.row(id);
  }
}

const OWNER = '019aa000-0000-7000-8000-000000000000';

beforeAll(async () => {
  [db, server] = await Promise.all([
    openTestDatabase({
      DATABASE_ACQUIRE_TIMEOUT_MS: String(QUERY_TIMEOUT_MS),
      DATABASE_QUERY_TIMEOUT_MS: String(QUERY_TIMEOUT_MS),
    }),
    startRedis(),
  ]);
  await createTables(db.settings.database.url);
});

afterAll(() => Promise.all([db.close(), server.stop()]));

beforeEach(async () => {
  await server.flush();
  a = await open(db);
  b = await open(await db.anotherRoom());
});

afterEach(() => {
  for (const { redis, caches } of [a, b]) {
    caches.onApplicationShutdown();
    redis.onApplicationShutdown();
  }
});

async function open({ database, pool, unitOfWork }: DatabaseRoom): Promise<Process> {
  const settings = loadSettings({
    NODE_ENV: 'test',
    REDIS_URL: server.url(),
    CACHE_LOCAL_TTL_MS: String(LOCAL_TTL_MS),
    REDIS_COMMAND_TIMEOUT_MS: String(COMMAND_TIMEOUT_MS),
  });
  const redis = new RedisConnection(settings);
  const caches = new CacheFactory(redis, settings);
  const accounts = new CountingAccounts(database, pool, unitOfWork, caches);
  await redis.onModuleInit();
  await waitFor(() => redis.isUsable);
  return { redis, caches, accounts };
}

async function account(note = 'five'): Promise<string> {
  const balance = { amount: 1990, currency: 'EUR' };
  return (await a.accounts.open(OWNER, { name: 'Savings', note, balance })).id;
}

const change = (id: string) => a.accounts.change(OWNER, id, undefined, { note: 'seven' });

/** What it sees while the servers answer: a stale copy, marked as such, only says that one of them was slow. */
const noteSeenBy = (process: Process, id: string): Promise<string> =>
  waitFor(async () => {
    const note = await noteOrStale(process, id);
    return note !== 'stale' && note;
  });

async function noteOrStale({ accounts }: Process, id: string): Promise<string> {
  const { stale, value } = await accounts.find(id);
  return stale ? 'stale' : (JSON.parse(value.body) as { note: string }).note;
}

/** Megabytes that live on in this process. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const inRedis = ({ redis }: Process, id: string) => redis.client.hgetall(redis.key('cache', 'accounts', id));
/** Of the change. */
const redisKnows = (id: string) =>
  waitFor(async () => (await inRedis(a, id)).v === '2', { what: 'the change in Redis' });
const trustEnds = () => new Promise((resolve) => setTimeout(resolve, LOCAL_TTL_MS + 10));

describe('Two processes', () => {
  it('share what one of them has loaded', async () => {
    const id = await account();
    expect(await noteSeenBy(a, id)).toBe('five');
    await waitFor(async () => (await inRedis(a, id)).d);
    expect(await noteSeenBy(b, id)).toBe('five');
    expect(b.accounts.loads).toBe(0);
    const life = await a.redis.client.pttl(a.redis.key('cache', 'accounts', id));
    expect(life).toBeGreaterThan(86_400_000);
    expect(life).toBeLessThan(86_400_000 + 67_000);
  });

  it('see a change of the other one after the local TTL at most', async () => {
    const id = await account();
    expect([await noteSeenBy(a, id), await noteSeenBy(b, id)]).toEqual(['five', 'five']);
    await change(id);
    expect(await noteSeenBy(a, id)).toBe('seven');
    await redisKnows(id);
    await trustEnds();
    expect(await noteSeenBy(b, id)).toBe('seven');
  });

  it('do not overwrite a change of the other one with a slow load', async () => {
    const id = await account();
    const slow = new SharedCopies(b.redis, 'accounts', 60_000);
    expect(await noteSeenBy(a, id)).toBe('five');
    await change(id);
    expect(await noteSeenBy(a, id)).toBe('seven');
    await redisKnows(id);
    // What b had read before the change reaches Redis only now.
    await slow.put(id, 1, JSON.stringify({ id, version: 1, etag: '"a1"', body: '{"note":"five"}' }), 60_000);
    await trustEnds();
    expect(await noteSeenBy(b, id)).toBe('seven');
  });

  it('nor a change whose new value has not been loaded yet', async () => {
    const id = await account();
    const slow = new SharedCopies(b.redis, 'accounts', 60_000);
    await change(id);
    await redisKnows(id);
    await slow.put(id, 1, JSON.stringify({ id, version: 1, etag: '"a1"', body: '{"note":"five"}' }), 60_000);
    expect(await slow.read(id)).toBeUndefined();
    expect(await noteSeenBy(b, id)).toBe('seven');
  });

  it('nor a deletion', async () => {
    const id = await account();
    const [fast, slow] = [a, b].map(({ redis }) => new SharedCopies(redis, 'accounts', 60_000));
    fast!.outdate(id, 9);
    await waitFor(async () => (await inRedis(a, id)).v === '9', { what: 'the deletion in Redis' });
    // Another one has asked PostgreSQL meanwhile, and found nothing.
    await fast!.remove(id);
    await slow!.put(id, 1, JSON.stringify({ id, version: 1, etag: '"a1"', body: '{"note":"five"}' }), 60_000);
    expect(await slow!.read(id)).toBeUndefined();
  });

  it('never return to an older value that Redis has after losing the newer one', async () => {
    const id = await account();
    const slow = new SharedCopies(a.redis, 'accounts', 86_400_000);
    await change(id);
    expect([await noteSeenBy(a, id), await noteSeenBy(b, id)]).toEqual(['seven', 'seven']);
    await waitFor(async () => (await inRedis(a, id)).w === '2');
    await server.flush();
    await slow.put(id, 1, JSON.stringify({ id, version: 1, etag: '"a1"', body: '{"note":"five"}' }), 60_000);
    await trustEnds();
    expect([await noteSeenBy(b, id), await noteSeenBy(a, id)]).toEqual(['seven', 'seven']);
    // PostgreSQL has been asked, and Redis knows better again.
    await waitFor(async () => (await inRedis(a, id)).w === '2');
  });

  it('of two releases do not share values of different format, but report changes to each other', async () => {
    const id = await account();
    const old = new SharedCopies(a.redis, 'accounts', 86_400_000);
    await old.put(id, 1, JSON.stringify({ id, version: 1, etag: '"1"', body: '{"remark":"five"}' }), 60_000);
    expect(await noteSeenBy(b, id)).toBe('five');
    await change(id);
    await redisKnows(id);
    expect((await old.read(id))?.outdated).toBe(true);
    await old.put(id, 2, JSON.stringify({ id, version: 2, etag: '"2"', body: '{"remark":"seven"}' }), 60_000);
    await trustEnds();
    expect(await noteSeenBy(b, id)).toBe('seven');
  });

  it('keep the outdated copy for an outage, marked as such', async () => {
    const id = await account();
    expect(await noteSeenBy(a, id)).toBe('five');
    await waitFor(async () => (await inRedis(a, id)).d);
    await change(id);
    await redisKnows(id);
    const copies = new SharedCopies(b.redis, 'accounts', 86_400_000);
    expect(await copies.read(id)).toMatchObject({ version: 1, freshForMs: 0 });
  });

  it('report missed changes to Redis when it is back', async () => {
    const id = await account();
    expect(await noteSeenBy(a, id)).toBe('five');
    await waitFor(async () => (await inRedis(a, id)).d);
    server.freeze();
    try {
      await change(id);
      expect(await noteSeenBy(a, id)).toBe('seven');
    } finally {
      server.thaw();
    }
    await waitFor(async () => (await inRedis(b, id)).v === '2', { what: 'the change in Redis' });
    expect(await noteSeenBy(b, id)).toBe('seven');
  });

  it('do not fill Redis with ids that do not exist', async () => {
    for (let i = 0; i < 20; i += 1)
      await expect(a.accounts.find(crypto.randomUUID())).rejects.toThrow('There is no such account.');
    expect(await a.redis.client.dbsize()).toBe(0);
  });
});

describe('Pages of the list', () => {
  it('take a bounded amount of memory for notes of any length and number', async () => {
    await db.database.execute({
      text: `INSERT INTO accounts (id, owner_id, name, note, balance, currency)
      SELECT uuidv7(), $1, 'Savings ' || n, repeat('long € ', 700), 1, 'EUR' FROM generate_series(1, 300) AS n`,
      values: [OWNER],
    });
    const before = heapUsed();
    for (let limit = 1; limit <= 100; limit += 1) {
      const first = await a.accounts.page({ limit });
      const { nextCursor } = JSON.parse(first.value.body) as { nextCursor: string };
      await a.accounts.page({ limit, cursor: nextCursor });
    }
    // 16 MiB by default, and what else a process allocates.
    await waitFor(() => heapUsed() - before < 24, { every: 500, what: 'the memory of the pages given back' });
  });
});

describe('Reads', () => {
  it('come from PostgreSQL when Redis is frozen, after one timeout', async () => {
    const notes = Array.from({ length: 20 }, (_, i) => `note ${i}`);
    const ids: string[] = [];
    for (const note of notes) ids.push(await account(note));
    server.freeze();
    try {
      expect(await Promise.all(ids.slice(0, 3).map((id) => noteSeenBy(a, id)))).toEqual(notes.slice(0, 3));
      await trustEnds();
      const began = performance.now();
      for (const [i, id] of ids.entries()) expect(await noteSeenBy(a, id)).toBe(notes[i]);
      // A time limit for each of them would be twice that.
      expect(performance.now() - began).toBeLessThan((ids.length * COMMAND_TIMEOUT_MS) / 2);
    } finally {
      server.thaw();
    }
  });

  it('come from PostgreSQL when Redis is down', async () => {
    const id = await account();
    await server.kill();
    try {
      await waitFor(() => !a.redis.isUsable);
      expect(await noteSeenBy(a, id)).toBe('five');
    } finally {
      await server.restart();
    }
  });

  it('come from PostgreSQL when Redis is full', async () => {
    const id = await account();
    await a.redis.client.config('SET', 'maxmemory', '1');
    try {
      expect(await noteSeenBy(a, id)).toBe('five');
      await change(id);
      expect(await noteSeenBy(a, id)).toBe('seven');
    } finally {
      await a.redis.client.config('SET', 'maxmemory', '0');
    }
    await redisKnows(id);
  });

  it('come from Redis when PostgreSQL is frozen', async () => {
    const id = await account();
    await noteSeenBy(a, id);
    await waitFor(async () => (await inRedis(a, id)).d);
    db.server.freeze();
    try {
      expect(await noteOrStale(b, id)).toBe('five');
      expect(b.accounts.loads).toBe(0);
    } finally {
      db.server.thaw();
    }
  });

  it('are stale, without waiting for a query to time out, when PostgreSQL is frozen and the copy is outdated', async () => {
    const id = await account();
    await noteSeenBy(a, id);
    await waitFor(async () => (await inRedis(a, id)).d);
    await change(id);
    await redisKnows(id);
    db.server.freeze();
    try {
      const began = performance.now();
      expect([await noteOrStale(b, id), await noteOrStale(b, id)]).toEqual(['stale', 'stale']);
      expect(performance.now() - began).toBeLessThan(QUERY_TIMEOUT_MS);
    } finally {
      db.server.thaw();
    }
    await waitFor(async () => (await noteOrStale(b, id)) === 'seven');
  });

  it('are stale from memory when both are down', async () => {
    const [known, unknown] = [await account(), await account()];
    await noteSeenBy(a, known);
    await trustEnds();
    db.server.freeze();
    server.freeze();
    try {
      expect(await noteOrStale(a, known)).toBe('stale');
      await expect(noteOrStale(a, unknown)).rejects.toBeInstanceOf(TransientError);
    } finally {
      db.server.thaw();
      server.thaw();
    }
    await waitFor(async () => (await noteOrStale(a, known)) === 'five');
  });
});
