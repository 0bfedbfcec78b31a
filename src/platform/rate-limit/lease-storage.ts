import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { ThrottlerStorageRecord } from '@nestjs/throttler/dist/throttler-storage-record.interface.js';
import { LRUCache } from 'lru-cache';
import { TransientError } from '../errors/index.js';
import { piecesOf, RedisConnection } from '../redis/index.js';
import { defineLeaseCommands, type LeaseCommands } from './lease-scripts.js';
import { quotaOf, type Quota } from './quota.js';

/** The answer to one request. */
export interface Taken {
  readonly allowed: boolean;
  /** Requests left in the window, as far as this process knows. */
  readonly remaining: number;
  /** Seconds until the window ends and the quota is whole again. */
  readonly resetSeconds: number;
}

/** What this process knows of one caller's window. Times are `performance.now()` milliseconds. */
interface Window {
  readonly key: string;
  readonly quota: Quota;
  endsAt: number;
  /** Requests admitted here. */
  spent: number;
  /** Requests of this window that Redis has put down to this process: `spent` may run ahead while Redis is away. */
  charged: number;
  /** Whether Redis has answered in this window, so that `free` means something. */
  known: boolean;
  /** Requests that Redis had left for everybody. */
  free: number;
  nextLease: number;
  /** Requests that wait for a lease. */
  waiting: number;
  leasing?: Promise<void>;
  askAgainAt: number;
  spentAtSweep: number;
}

/** A window that is to get a lease, and whom to tell. */
interface Asked {
  readonly window: Window;
  readonly done: () => void;
}

/** Callers that a process remembers; the least recently seen go first, and their count in Redis stays. */
const REMEMBERED_CALLERS = 50_000;
/** For how long limits are kept per process after Redis was away (when it stays away, the connection knows), or has refused to count. */
const ALONE_WHEN_AWAY_MS = 100;
const ALONE_WHEN_REFUSED_MS = 1000;
/** How often Redis is asked whether an exhausted quota has got something back from another process. */
const ASK_AGAIN_MS = 250;
/** A lease that was not touched for one to two sweeps is given back. */
const SWEEP_MS = 1000;
/** How long a lease that nobody waits for may wait for others, to ask for them together; then most of what asking costs is shared. */
const GATHER_MS = 10;

/**
 * Counts requests over all processes without asking Redis for each: a process leases a part of a caller's quota and spends it by
 * itself (decision record 0008). While Redis is away each process keeps the limit by itself.
 */
@Injectable()
export class LeaseStorage implements ThrottlerStorage, OnApplicationShutdown {
  private readonly logger = new Logger(LeaseStorage.name);
  private readonly windows = new LRUCache<string, Window>({ max: REMEMBERED_CALLERS });
  /** Windows with a lease large enough to be missed elsewhere. */
  private readonly holding = new Set<Window>();
  private asked: Asked[] = [];
  private gathering?: NodeJS.Timeout;
  private sweeper?: NodeJS.Timeout;
  private onOurOwnUntil = 0;
  private refused = false;

  constructor(private readonly redis: RedisConnection) {
    defineLeaseCommands(redis.client);
  }

  /**
   * Counts one request against a quota. Answers at once when a lease is at hand or Redis is away, and otherwise within the time limit
   * of a Redis command.
   */
  take(key: string, quota: Quota): Taken | Promise<Taken> {
    const now = performance.now();
    const window = this.windowOf(key, quota, now);
    const shared = now >= this.onOurOwnUntil && this.redis.isUsable;
    if (window.spent < ceilingOf(window, shared)) {
      window.spent += 1;
      // The next lease is fetched while this one still lasts, so that nobody waits for it.
      if (shared && ceilingOf(window, true) - window.spent <= window.nextLease >> 1)
        this.leaseInAdvance(window);
      return answer(window, true, now);
    }
    if (!shared) return answer(window, false, now);
    if (window.known && window.free === 0) {
      if (now >= window.askAgainAt) this.leaseInAdvance(window);
      return answer(window, false, now);
    }
    return this.wait(window);
  }

  /** For guards of the library's own kind; ours calls `take`. `blockDuration` is not supported: a window blocks until it ends. */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    _blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerStorageRecord> {
    const { allowed, remaining, resetSeconds } = await this.take(key, quotaOf(throttlerName, limit, ttl));
    return {
      totalHits: allowed ? limit - remaining : limit + 1,
      timeToExpire: resetSeconds,
      isBlocked: !allowed,
      timeToBlockExpire: allowed ? 0 : resetSeconds,
    };
  }

  onApplicationShutdown(): void {
    clearInterval(this.sweeper);
    // Nobody is left waiting: without Redis they are answered by what is known here.
    this.ask();
    this.holding.clear();
  }

  private windowOf(key: string, quota: Quota, now: number): Window {
    const known = this.windows.get(key);
    if (known !== undefined && now < known.endsAt) return known;
    const window: Window = {
      key,
      quota,
      endsAt: now + quota.windowMs,
      spent: 0,
      charged: 0,
      known: false,
      free: quota.limit,
      nextLease: quota.firstLease,
      waiting: 0,
      askAgainAt: 0,
      spentAtSweep: 0,
    };
    this.windows.set(key, window);
    return window;
  }

  private async wait(window: Window): Promise<Taken> {
    window.waiting += 1;
    try {
      const leased = window.leasing ?? this.lease(window);
      // With all that this turn of the event loop asks for, but no later.
      setImmediate(() => this.ask());
      await leased;
    } finally {
      window.waiting -= 1;
    }
    // Every lease brings at least one request, the end of the quota, or the end of trust in Redis: this comes to an end.
    return this.take(window.key, window.quota);
  }

  private leaseInAdvance(window: Window): void {
    if (window.leasing || (window.known && window.free === 0 && performance.now() < window.askAgainAt))
      return;
    void this.lease(window);
  }

  /** Gets more of the quota, soon; never rejects. */
  private lease(window: Window): Promise<void> {
    this.gathering ??= setTimeout(() => this.ask(), GATHER_MS);
    return (window.leasing = new Promise((done) => this.asked.push({ window, done })));
  }

  private ask(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    const { asked } = this;
    this.asked = [];
    for (const piece of piecesOf(asked)) void this.askFor(piece);
  }

  private async askFor(asked: Asked[]): Promise<void> {
    const now = performance.now();
    const bases = asked.map(({ window: { charged, spent } }) => Math.max(charged, spent));
    const keys = asked.map(({ window }) => this.keyOf(window.key));
    const wishes = asked.flatMap(({ window: { quota, nextLease, waiting, charged, endsAt } }, index) => {
      const base = bases[index] as number;
      return [quota.limit, nextLease, waiting, base - charged, base, Math.max(1, Math.ceil(endsAt - now))];
    });
    try {
      const granted = await this.redis.run((client) =>
        (client as LeaseCommands).rateLimitLease(keys.length, ...keys, ...wishes),
      );
      this.refused = false;
      for (const [index, { window }] of asked.entries())
        this.granted(window, bases[index] as number, granted.slice(index * 3, index * 3 + 3));
    } catch (error) {
      this.goOnAlone(error);
    }
    for (const { window, done } of asked) {
      window.leasing = undefined;
      done();
    }
  }

  private granted(window: Window, base: number, [leased = 0, free = 0, leftMs = 0]: number[]): void {
    const now = performance.now();
    const { quota } = window;
    window.known = true;
    window.charged = base + leased;
    window.free = free;
    window.endsAt = now + leftMs;
    window.nextLease = Math.min(window.nextLease * 2, quota.largestLease);
    window.askAgainAt = now + ASK_AGAIN_MS;
    if (leased > quota.firstLease) this.hold(window);
  }

  private goOnAlone(error: unknown): void {
    const now = performance.now();
    if (error instanceof TransientError) {
      this.onOurOwnUntil = Math.max(this.onOurOwnUntil, now + ALONE_WHEN_AWAY_MS);
      return;
    }
    this.onOurOwnUntil = now + ALONE_WHEN_REFUSED_MS;
    if (this.refused) return;
    this.refused = true;
    this.logger.warn({ err: error }, 'Redis refuses to count requests; each process limits by itself');
  }

  private hold(window: Window): void {
    this.holding.add(window);
    this.sweeper ??= setInterval(() => this.giveBackUnused(), SWEEP_MS).unref();
  }

  /** Returns leases whose caller has gone elsewhere, so that the other processes need not refuse him. */
  private giveBackUnused(): void {
    const now = performance.now();
    const unused: { key: string; amount: number }[] = [];
    for (const window of this.holding) {
      const amount = window.charged - window.spent;
      if (now >= window.endsAt || amount <= 0) this.holding.delete(window);
      else if (window.spent === window.spentAtSweep && !window.leasing) {
        this.holding.delete(window);
        window.charged -= amount;
        window.free += amount;
        window.nextLease = window.quota.firstLease;
        unused.push({ key: this.keyOf(window.key), amount });
      }
      window.spentAtSweep = window.spent;
    }
    for (const piece of piecesOf(unused)) this.giveBack(piece);
  }

  private giveBack(unused: { key: string; amount: number }[]): void {
    const keys = unused.map(({ key }) => key);
    const amounts = unused.map(({ amount }) => amount);
    // When this fails, the unused part counts as spent until the window ends.
    this.redis
      .run((client) => (client as LeaseCommands).rateLimitGiveBack(keys.length, ...keys, ...amounts))
      .catch(() => undefined);
  }

  private keyOf(key: string): string {
    return this.redis.key('rate-limit', key);
  }
}

/**
 * Requests that may be admitted here without asking. Without Redis that is the whole limit, or, when Redis has told in this window what
 * there was left for everybody, no more than that: a hiccup must not open a quota again that is used up.
 */
function ceilingOf({ quota, known, charged, free }: Window, shared: boolean): number {
  if (shared) return known ? charged : quota.credit;
  return known ? charged + free : quota.limit;
}

function answer(window: Window, allowed: boolean, now: number): Taken {
  const { quota, spent, charged, free, known } = window;
  const left = known ? Math.max(0, charged - spent) + free : quota.limit - spent;
  return {
    allowed,
    remaining: allowed ? Math.max(0, left) : 0,
    // In whole milliseconds first: 60000.0000001 of them are not 61 seconds.
    resetSeconds: Math.max(1, Math.ceil(Math.floor(window.endsAt - now) / 1000)),
  };
}
