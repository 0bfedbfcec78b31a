import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { TransientError } from '../errors/index.js';
import { piecesOf, type RedisConnection } from '../redis/index.js';
import { OutageLog } from '../runtime/index.js';

/** A value as Redis holds it. */
export interface SharedCopy {
  text: string;
  version: number;
  /** Milliseconds for which it still counts as fresh; zero or less when it may only stand in for the source. */
  freshForMs: number;
  /** Whether there is known to be a newer version. */
  outdated: boolean;
}

interface CacheCommands {
  cacheRead(key: string): Promise<[string | null, string | null, string | null, number]>;
  cachePut(key: string, version: number, text: string, lifeMs: number): Promise<number>;
  cacheRemove(key: string, guardMs: number): Promise<number>;
  cacheOutdate(keys: number, ...keysThenLivesAndVersions: (string | number)[]): Promise<number>;
}

/**
 * An entry is a hash: `v` is the newest version known, `w` and `d` are version and text of the copy. Its time to live is its
 * freshness plus the time for which a stale copy is kept, so the clocks of instances need not agree.
 */
const SCRIPTS = {
  cacheRead: {
    numberOfKeys: 1,
    lua: `
    local entry = redis.call('HMGET', KEYS[1], 'v', 'w', 'd')
    return {entry[1], entry[2], entry[3], redis.call('PTTL', KEYS[1])}`,
  },
  // A load that began before a change must not overwrite it.
  cachePut: {
    numberOfKeys: 1,
    lua: `
    local known = tonumber(redis.call('HGET', KEYS[1], 'v') or -1)
    if known > tonumber(ARGV[1]) then return 0 end
    redis.call('HSET', KEYS[1], 'v', ARGV[1], 'w', ARGV[1], 'd', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return 1`,
  },
  // Its version stays: a load that began before a deletion must not bring the value back.
  cacheRemove: {
    numberOfKeys: 1,
    lua: `
    redis.call('HDEL', KEYS[1], 'w', 'd')
    return redis.call('PEXPIRE', KEYS[1], ARGV[1])`,
  },
  // KEYS: entries. ARGV: how long a copy is kept, how long a version without one, then the new version of each entry.
  // The copy stays for outages of the source; without one, the version need only outlive the loads under way.
  cacheOutdate: {
    lua: `
    for i, key in ipairs(KEYS) do
      local version = ARGV[i + 2]
      if tonumber(redis.call('HGET', key, 'v') or -1) < tonumber(version) then
        redis.call('HSET', key, 'v', version)
        local life = ARGV[2]
        if redis.call('HEXISTS', key, 'd') == 1 then life = ARGV[1] end
        redis.call('PEXPIRE', key, life)
      end
    end
    return #KEYS`,
  },
};

/** How long the version of a change is remembered for loads that began before it; longer than any query may take. */
const GUARD_MS = 60_000;
/** Changes that Redis has missed, and that are sent again once it is back; beyond this number the time to live has to do. */
const UNTOLD_LIMIT = 10_000;
const TELL_AGAIN_MS = 500;
/** How long a change waits for others, to be sent together with them: one busy feature changes thousands of values. */
const GATHER_MS = 2;
/**
 * Milliseconds without a rejected write after which a Redis that answers, but rejects writes (full, read-only), counts as
 * recovered.
 */
const REFUSALS_END_AFTER_MS = 60_000;

/**
 * The copies that all processes share. Every method answers within the time limit of a Redis command and none fails: without Redis,
 * reads find nothing and writes are left out.
 */
export class SharedCopies {
  private readonly logger = new Logger(SharedCopies.name);
  private readonly refusals: OutageLog;
  private readonly untold = new Map<string, number>();
  private changed: string[] = [];
  private gathering?: NodeJS.Timeout;
  private telling?: NodeJS.Timeout;

  constructor(
    private readonly redis: RedisConnection,
    private readonly name: string,
    private readonly staleMs: number,
  ) {
    // The first success does not end it: a Redis that is full answers reads.
    this.refusals = new OutageLog(this.logger, {
      begins: `Redis rejects commands of the cache "${name}"`,
      endsAfterMs: REFUSALS_END_AFTER_MS,
    });
    for (const [command, script] of Object.entries(SCRIPTS)) redis.client.defineCommand(command, script);
  }

  /** The copy under a key, fresh or not. */
  async read(key: string): Promise<SharedCopy | undefined> {
    const [newest, version, text, lifeMs] =
      (await this.attempt((redis) => redis.cacheRead(this.keyOf(key)))) ?? [];
    if (typeof version !== 'string' || typeof text !== 'string' || lifeMs === undefined) return undefined;
    const untold = this.untold.get(key);
    const outdated = version !== newest || (untold !== undefined && untold > Number(version));
    return { text, version: Number(version), freshForMs: outdated ? 0 : lifeMs - this.staleMs, outdated };
  }

  /** Keeps a copy, unless a newer version is known. */
  async put(key: string, version: number, text: string, freshForMs: number): Promise<void> {
    await this.attempt((redis) =>
      redis.cachePut(this.keyOf(key), version, text, Math.round(freshForMs + this.staleMs)),
    );
  }

  /** Reports that the value under a key is now `version`; sent again later when Redis is down now. */
  outdate(key: string, version: number): void {
    if (this.untold.size >= UNTOLD_LIMIT && !this.untold.has(key)) return;
    this.untold.set(key, Math.max(version, this.untold.get(key) ?? version));
    this.changed.push(key);
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      const { changed } = this;
      this.changed = [];
      this.tell(changed);
    }, GATHER_MS);
  }

  /** Drops the copy of a value that no longer exists. */
  async remove(key: string): Promise<void> {
    await this.attempt((redis) => redis.cacheRemove(this.keyOf(key), GUARD_MS));
  }

  /** Stops sending the changes that Redis has missed. */
  close(): void {
    clearTimeout(this.telling);
    clearTimeout(this.gathering);
    this.tell(this.changed);
    this.untold.clear();
  }

  private tell(keys: string[]): void {
    const versions = new Map<string, number>();
    for (const key of keys) {
      const version = this.untold.get(key);
      if (version !== undefined) versions.set(key, version);
    }
    for (const news of piecesOf([...versions])) void this.tellSome(news);
  }

  private async tellSome(news: [key: string, version: number][]): Promise<void> {
    const keys = news.map(([key]) => this.keyOf(key));
    const versions = news.map(([, version]) => version);
    const answer = await this.attempt((redis) =>
      redis.cacheOutdate(keys.length, ...keys, this.staleMs, GUARD_MS, ...versions),
    );
    if (answer === undefined) {
      this.tellAgain();
      return;
    }
    for (const [key, version] of news) if (this.untold.get(key) === version) this.untold.delete(key);
  }

  private tellAgain(): void {
    if (this.telling || this.untold.size === 0) return;
    this.telling = setTimeout(() => {
      this.telling = undefined;
      if (!this.redis.isUsable) this.tellAgain();
      else this.tell([...this.untold.keys()]);
    }, TELL_AGAIN_MS).unref();
  }

  private async attempt<T>(command: (redis: Redis & CacheCommands) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.redis.run((client) => command(client as Redis & CacheCommands));
    } catch (error) {
      if (!(error instanceof TransientError)) this.refusals.failed(error);
      return undefined;
    }
  }

  private keyOf(key: string): string {
    return this.redis.key('cache', this.name, key);
  }
}
