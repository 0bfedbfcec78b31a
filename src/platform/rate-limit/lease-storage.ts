import { randomUUID } from 'node:crypto';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { ThrottlerStorageRecord } from '@nestjs/throttler/dist/throttler-storage-record.interface.js';
import { LRUCache } from 'lru-cache';
import { TransientError } from '../errors/index.js';
import { piecesOf, RedisConnection } from '../redis/index.js';
import { OutageLog } from '../runtime/index.js';
import { defineLeaseCommands, type LeaseCommands } from './lease-scripts.js';
import { answer, ceilingOf, newWindow, type Taken, type Window } from './lease-window.js';
import { quotaOf, type Quota } from './quota.js';

export type { Taken } from './lease-window.js';

/** A window that needs a lease, and the callback for the result. */
type PendingLease = Readonly<{ window: Window; done: () => void }>;

/** Callers that a process remembers; the oldest windows go first, and their count in Redis stays. */
const REMEMBERED_CALLERS = 50_000;
/**
 * How long limits are kept per process after Redis was down (if it stays down, the connection knows), or has refused to count.
 */
const ALONE_WHEN_AWAY_MS = 100;
const ALONE_WHEN_REFUSED_MS = 1000;
/** How often Redis is asked whether another process has returned part of an exhausted quota. */
const RETRY_MS = 250;
/** A lease that was not used for one to two sweeps is returned; each sweep also checks whether Redis has lost its data. */
const SWEEP_MS = 1000;
/** By then every process has noticed that Redis has lost its data, and reported what it had. */
const SETTLED_AFTER_MS = 1500;
/** How long a lease that no request waits for may wait for others, to fetch them together and share most of the cost. */
const GATHER_MS = 10;

/**
 * Counts requests over all processes without asking Redis for each: a process leases a part of a caller's quota and spends it by
 * itself (decision record 0008). While Redis is down each process enforces the limit by itself.
 */
@Injectable()
export class LeaseStorage implements ThrottlerStorage, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly windows = new LRUCache<string, Window>({ max: REMEMBERED_CALLERS });
  /** Windows with a lease that is large enough to be needed elsewhere. */
  private readonly holding = new Set<Window>();
  private pending: PendingLease[] = [];
  private gathering?: NodeJS.Timeout;
  private sweeper?: NodeJS.Timeout;
  private onOurOwnUntil = 0;
  private readonly refusals = new OutageLog(new Logger(LeaseStorage.name), {
    begins: 'Redis does not count requests; each process applies the limits by itself',
    ends: 'Redis counts requests again',
  });
  private readonly epochKey: string;
  /** Identifies the data of Redis: when another epoch is found there, its counters are lost. */
  private epoch?: string;

  constructor(private readonly redis: RedisConnection) {
    defineLeaseCommands(redis.client);
    this.epochKey = redis.key('rate-limit-epoch');
    redis.client.on('ready', () => void this.checkEpoch());
  }

  /**
   * Counts one request against a quota. Answers synchronously when there is a lease or Redis is down, and otherwise within the
   * time limit of a Redis command.
   */
  take(key: string, quota: Quota): Taken | Promise<Taken> {
    const now = performance.now();
    const window = this.windowOf(key, quota, now);
    const shared = now >= this.onOurOwnUntil && now >= window.settlesUntil && this.redis.isUsable;
    if (window.spent < ceilingOf(window, shared, now)) {
      window.spent += 1;
      // The next lease, which is twice as large, is fetched while half of this one remains, so that no request waits for it.
      if (shared && ceilingOf(window, true, now) - window.spent <= window.nextLease >> 2)
        this.leaseInAdvance(window);
      return answer(window, true, now);
    }
    if (!shared) return answer(window, false, now);
    if (window.known && window.free === 0) {
      if (now >= window.retryAt) this.leaseInAdvance(window);
      return answer(window, false, now);
    }
    return this.wait(window);
  }

  /** For the library's own guards; ours calls `take`. `blockDuration` is not supported: a window blocks until it ends. */
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

  /** Unspent leases go back to the other processes; otherwise a rollout would use up quotas. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.sweeper);
    this.requestLeases();
    const windows = [...this.windows.values()];
    for (const { leasing } of windows) await leasing;
    await this.giveBack(windows);
  }

  onApplicationShutdown(): void {
    clearInterval(this.sweeper);
    // No request is left waiting: without Redis they are answered from local counts.
    this.requestLeases();
    this.holding.clear();
  }

  /** With `peek`: a new window goes to the end of the list by itself; moving it there with each request cost 3 % of a read. */
  private windowOf(key: string, quota: Quota, now: number): Window {
    const known = this.windows.peek(key);
    if (known !== undefined && now < known.endsAt) return known;
    const window = newWindow(key, quota, now);
    this.windows.set(key, window);
    return window;
  }

  private async wait(window: Window): Promise<Taken> {
    window.waiting += 1;
    try {
      const leased = window.leasing ?? this.lease(window);
      // Together with all leases that this turn of the event loop needs, but no later.
      setImmediate(() => this.requestLeases());
      await leased;
    } finally {
      window.waiting -= 1;
    }
    // Every lease grants at least one request, ends the quota, or ends the use of Redis, so this loop ends.
    return this.take(window.key, window.quota);
  }

  private leaseInAdvance(window: Window): void {
    if (window.leasing || (window.known && window.free === 0 && performance.now() < window.retryAt)) return;
    void this.lease(window);
  }

  /** Gets more of the quota, soon; never rejects. */
  private lease(window: Window): Promise<void> {
    this.gathering ??= setTimeout(() => this.requestLeases(), GATHER_MS);
    return (window.leasing = new Promise((done) => this.pending.push({ window, done })));
  }

  private requestLeases(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    const { pending } = this;
    this.pending = [];
    for (const piece of piecesOf(pending)) void this.requestFrom(piece);
  }

  private async requestFrom(pending: PendingLease[]): Promise<void> {
    this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    const now = performance.now();
    const bases = pending.map(({ window: { charged, spent } }) => Math.max(charged, spent));
    const keys = pending.map(({ window }) => this.keyOf(window.key));
    const wishes = pending.flatMap(({ window }, index) => {
      const base = bases[index] as number;
      const { quota, nextLease, waiting, charged, endsAt, epoch = '' } = window;
      const left = Math.max(1, Math.ceil(endsAt - now));
      return [quota.limit, nextLease, waiting, base - charged, base, left, epoch];
    });
    try {
      const [epoch, ...granted] = await this.redis.run((client) =>
        (client as LeaseCommands).rateLimitLease(
          keys.length + 1,
          this.epochKey,
          ...keys,
          randomUUID(),
          ...wishes,
        ),
      );
      this.refusals.recovered();
      for (const [index, { window }] of pending.entries())
        this.granted(window, bases[index] as number, epoch, granted.slice(index * 3, index * 3 + 3));
      this.enter(epoch);
    } catch (error) {
      this.goOnAlone(error);
    }
    for (const { window, done } of pending) {
      window.leasing = undefined;
      done();
    }
  }

  private granted(
    window: Window,
    base: number,
    epoch: string,
    [leased = 0, free = 0, leftMs = 0]: number[],
  ): void {
    const now = performance.now();
    const { quota } = window;
    if (window.known && window.epoch !== epoch) window.settlesUntil = now + SETTLED_AFTER_MS;
    window.known = true;
    window.epoch = epoch;
    window.charged = base + leased;
    window.credit = 0;
    window.free = free;
    window.endsAt = now + leftMs;
    window.nextLease = Math.min(window.nextLease * 2, quota.largestLease);
    window.retryAt = now + RETRY_MS;
    if (leased > quota.firstLease) this.holding.add(window);
  }

  /**
   * Checks whether Redis still has its data, also for callers that send no more requests here: the requests that they spent must
   * count.
   */
  private async checkEpoch(): Promise<void> {
    if (this.epoch === undefined || !this.redis.isUsable) return;
    const found = await this.redis.run((client) => client.get(this.epochKey)).catch(() => this.epoch ?? null);
    if (found === this.epoch) return;
    if (found === null) this.reportAll();
    else this.enter(found);
  }

  /** Records the current epoch of Redis, and reports to a new one what the old one had. */
  private enter(epoch: string): void {
    const isNew = this.epoch !== undefined && this.epoch !== epoch;
    this.epoch = epoch;
    if (isNew) this.reportAll(epoch);
  }

  private reportAll(epoch?: string): void {
    const now = performance.now();
    for (const window of this.windows.values()) {
      // Windows with a call under way learn it from the answer.
      if (!window.known || window.epoch === epoch || now >= window.endsAt || window.leasing) continue;
      // The quota that it may spend until the others have reported as well; the unused part goes back.
      window.nextLease = window.quota.largestLease;
      void this.lease(window);
    }
  }

  private goOnAlone(error: unknown): void {
    const now = performance.now();
    if (error instanceof TransientError) {
      this.onOurOwnUntil = Math.max(this.onOurOwnUntil, now + ALONE_WHEN_AWAY_MS);
      return;
    }
    this.onOurOwnUntil = now + ALONE_WHEN_REFUSED_MS;
    this.refusals.failed(error);
  }

  /** Returns leases whose caller now uses other processes, so that these need not reject its requests. */
  private sweep(): void {
    const now = performance.now();
    const unused: Window[] = [];
    for (const window of this.holding) {
      if (now >= window.endsAt || window.charged <= window.spent) this.holding.delete(window);
      else if (window.spent === window.spentAtSweep && !window.leasing) unused.push(window);
      window.spentAtSweep = window.spent;
    }
    void this.giveBack(unused);
    void this.checkEpoch();
  }

  private async giveBack(windows: readonly Window[]): Promise<void> {
    const now = performance.now();
    const unused: { key: string; amount: number }[] = [];
    for (const window of windows) {
      const { quota, charged, spent } = window;
      this.holding.delete(window);
      if (now >= window.endsAt || charged <= spent || window.epoch !== this.epoch) continue;
      window.charged = spent;
      // As before its first lease: otherwise the next request would wait for Redis.
      window.credit = quota.credit;
      window.free += charged - spent;
      window.nextLease = quota.firstLease;
      unused.push({ key: this.keyOf(window.key), amount: charged - spent });
    }
    const { epoch = '' } = this;
    const sent = [...piecesOf(unused)].map((piece) => {
      const keys = [this.epochKey, ...piece.map(({ key }) => key)];
      const amounts = piece.map(({ amount }) => amount);
      return this.redis.run((client) =>
        (client as LeaseCommands).rateLimitGiveBack(keys.length, ...keys, epoch, ...amounts),
      );
    });
    // When this fails, the unused part counts as spent until the window ends.
    await Promise.allSettled(sent);
  }

  private keyOf(key: string): string {
    return this.redis.key('rate-limit', key);
  }
}
