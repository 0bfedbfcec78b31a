import { AsyncLocalStorage } from 'node:async_hooks';
import { LRUCache } from 'lru-cache';
import { AWAY, CacheSource } from './cache-source.js';
import type { CacheStatistics } from './cache-statistics.js';
import type { SharedCopies, SharedCopy } from './shared-copies.js';

export interface CacheOptions<T> {
  /** Names the cache in metrics and in Redis; one cache per name. */
  name: string;
  /** Asks the source of truth; undefined when it has nothing under the key (which is not remembered). */
  load(key: string): Promise<T | undefined>;
  /** A number that grows with every change of the value. Without it the cache stays within the process. */
  versionOf?(value: T): number;
  /** False for a copy in Redis that another release has put there in another shape; it counts as none. */
  isUsable?(value: T): boolean;
  /** Bytes of memory that a value takes, roughly. Default: twice the length of its JSON. */
  sizeOf?(value: T): number;
}

/** What a process keeps of a cache; the least recently used entries go first. */
export interface CacheLimits {
  /** Measured by `sizeOf`. Clients choose what is read, so a number of entries would not bound the memory. */
  localBytes: number;
}

/** Times of a cache, in milliseconds. */
export interface CacheTimes {
  /** How long a copy counts as fresh; jittered by 10 %, so that what was loaded together does not expire together. */
  ttlMs: number;
  /** How long this process trusts its own copy before it asks Redis: the bound on staleness between processes. */
  localTtlMs: number;
  /** How long a copy is kept after that, for outages of the source. */
  staleMs: number;
}

/** A value from the cache. */
export interface Cached<T> {
  readonly value: T;
  /** True when it stands in for a source that does not answer. */
  readonly stale: boolean;
  /** When it stopped, or will stop, being fresh, on `performance.now()`'s clock: the wall clock may be set back. */
  readonly freshUntil: number;
}

interface Entry<T> {
  cached?: Cached<T>;
  version: number;
  /** Until then the copy is served without checking elsewhere; on the same clock. */
  trustedUntil: number;
  /** Older values are outdated: this process has seen a change to this version. */
  minimumVersion: number;
  era: number;
}

/**
 * How long a caller waits for the source when there is a stale copy. A frozen server does not refuse connections: it is silent.
 * The wait is longer where the copy is not merely old but known to be wrong: the caller may be the one that has just made the
 * change.
 */
const PATIENCE_MS = 250;
const PATIENCE_WHEN_OUTDATED_MS = 1000;
/** How long a stale copy is served without asking again. */
const STALE_TRUST_MS = 1000;
/** A JavaScript string takes up to two bytes a character. */
const BYTES_PER_CHARACTER = 2;
/** What an entry takes besides its value. */
const ENTRY_BYTES = 300;

/**
 * A read-through cache in two levels, the process's memory over Redis. The source is asked once per key and process at a time, an older value never
 * replaces a newer one, and when the source is down a stale copy answers (decision record 0005).
 */
export class ReadThroughCache<T> {
  private readonly entries: LRUCache<string, Entry<T>>;
  private readonly source: CacheSource<T>;
  private readonly lookups = new Map<string, Promise<Cached<T> | undefined>>();
  /** Loads are shared by requests, so they must not end with one of them, nor run in its transaction. */
  private readonly outsideOfRequests = AsyncLocalStorage.snapshot();
  private era = 0;

  constructor(
    private readonly options: CacheOptions<T>,
    private readonly times: CacheTimes & CacheLimits,
    private readonly statistics: CacheStatistics,
    private readonly shared?: SharedCopies,
  ) {
    this.entries = new LRUCache({
      maxSize: times.localBytes,
      sizeCalculation: ({ cached }, key) =>
        ENTRY_BYTES + key.length * BYTES_PER_CHARACTER + (cached ? this.sizeOf(cached.value) : 0),
    });
    this.source = new CacheSource(
      (key) => options.load(key),
      (key, value) => this.keep(key, value),
    );
  }

  /**
   * The value under a key, synchronously when this process has a copy that it trusts; undefined when the source has none.
   * @throws what the source throws, when there is no copy to stand in.
   */
  get(key: string): Cached<T> | undefined | Promise<Cached<T> | undefined> {
    const entry = this.entries.get(key);
    if (entry?.cached !== undefined && entry.era === this.era && performance.now() < entry.trustedUntil) {
      if (entry.cached.stale) this.statistics.stale += 1;
      else this.statistics.local += 1;
      return entry.cached;
    }
    const lookup = this.lookups.get(key);
    if (lookup !== undefined) {
      this.statistics.joined += 1;
      return lookup;
    }
    return this.startLookup(key);
  }

  /**
   * Outdates what is under a key; to be called after the commit of the change. From now on this process returns the new
   * version or later; other processes follow within `localTtlMs`.
   * @param version the version that the change has made
   */
  outdate(key: string, version: number): void {
    const entry = this.entries.get(key);
    this.entries.set(key, {
      ...(entry ?? { version: -1, era: this.era }),
      trustedUntil: 0,
      minimumVersion: Math.max(version, entry?.minimumVersion ?? version),
    });
    this.source.disown(key);
    this.lookups.delete(key);
    this.shared?.outdate(key, version);
  }

  /** Outdates everything in this process; only for caches that stay within it. */
  outdateAll(): void {
    this.era += 1;
    this.source.disownAll();
    this.lookups.clear();
  }

  private startLookup(key: string): Promise<Cached<T> | undefined> {
    const lookup = this.outsideOfRequests(() => this.lookUp(key));
    this.lookups.set(key, lookup);
    const forget = () => {
      if (this.lookups.get(key) === lookup) this.lookups.delete(key);
    };
    lookup.then(forget, forget);
    return lookup;
  }

  private async lookUp(key: string): Promise<Cached<T> | undefined> {
    const { era } = this;
    const before = this.entries.get(key);
    const copy = await this.shared?.read(key);
    const shared = copy && this.decode(copy);
    if (shared && !shared.stale && shared.version >= this.newestVersionOf(key)) {
      this.statistics.shared += 1;
      return this.trust(key, shared, shared.version);
    }
    const standIn = this.newest(this.entries.get(key), shared);
    if (!standIn) {
      this.statistics.loaded += 1;
      return this.newer(key, await this.source.load(key));
    }
    const loaded = await this.source.loadUnlessAway(
      key,
      this.isOutdated(key, standIn, copy) ? PATIENCE_WHEN_OUTDATED_MS : PATIENCE_MS,
    );
    if (loaded !== AWAY) {
      this.statistics.loaded += 1;
      return this.newer(key, loaded);
    }
    this.statistics.stale += 1;
    const stale = {
      value: standIn.value,
      freshUntil: Math.min(standIn.freshUntil, performance.now()),
      stale: true,
    };
    // Only for this caller when the value has changed since it was chosen, or a newer one has arrived.
    const unchanged = this.entries.get(key) === before && this.era === era;
    if (unchanged) this.remember(key, stale, this.versionOf(stale.value), performance.now() + STALE_TRUST_MS);
    return stale;
  }

  private keep(key: string, value: T | undefined): void {
    if (value === undefined) {
      this.entries.delete(key);
      void this.shared?.remove(key);
      return;
    }
    const version = this.versionOf(value);
    if (version < this.minimumVersionOf(key) || this.freshNewer(key, version)) return;
    const cached = this.present(value) as Cached<T>;
    this.trust(key, cached, version);
    void this.shared?.put(key, version, JSON.stringify(value), cached.freshUntil - performance.now());
  }

  private trust(key: string, cached: Cached<T>, version: number): Cached<T> {
    this.remember(
      key,
      cached,
      version,
      Math.min(performance.now() + this.times.localTtlMs, cached.freshUntil),
    );
    return cached;
  }

  private remember(key: string, cached: Cached<T>, version: number, trustedUntil: number): void {
    this.entries.set(key, {
      cached,
      version,
      trustedUntil,
      minimumVersion: this.minimumVersionOf(key),
      era: this.era,
    });
  }

  private versionOf(value: T): number {
    return this.options.versionOf?.(value) ?? 0;
  }

  private minimumVersionOf(key: string): number {
    return this.entries.get(key)?.minimumVersion ?? 0;
  }

  /** The newest version that this process knows. Redis may have an older one: it loses its data, and a late put may follow. */
  private newestVersionOf(key: string): number {
    const { version = 0, minimumVersion = 0 } = this.entries.get(key) ?? {};
    return Math.max(version, minimumVersion);
  }

  /**
   * The copy of this process, when it is newer than the result of a slow load, or of one from a replica. Only while the copy is
   * fresh: after the database was restored to an earlier state, the copy is wrong.
   */
  private freshNewer(key: string, version: number): Cached<T> | undefined {
    const entry = this.entries.get(key);
    return entry && entry.version > version && performance.now() < (entry.cached?.freshUntil ?? 0)
      ? entry.cached
      : undefined;
  }

  private newer(key: string, loaded: T | undefined): Cached<T> | undefined {
    if (loaded === undefined) return undefined;
    return this.freshNewer(key, this.versionOf(loaded)) ?? this.present(loaded);
  }

  private sizeOf(value: T): number {
    return this.options.sizeOf?.(value) ?? JSON.stringify(value).length * BYTES_PER_CHARACTER;
  }

  private present(value: T | undefined): Cached<T> | undefined {
    if (value === undefined) return undefined;
    const ttlMs = this.times.ttlMs * (0.9 + Math.random() * 0.2);
    return { value, stale: false, freshUntil: performance.now() + ttlMs };
  }

  private decode({ text, version, freshForMs }: SharedCopy): (Cached<T> & { version: number }) | undefined {
    try {
      const value = JSON.parse(text) as T;
      if (this.options.isUsable?.(value) === false) return undefined;
      return { value, version, stale: freshForMs <= 0, freshUntil: performance.now() + freshForMs };
    } catch {
      return undefined;
    }
  }

  /** The newer of the two copies, as long as it is not too old to be shown at all. */
  private newest(
    entry: Entry<T> | undefined,
    shared: (Cached<T> & { version: number }) | undefined,
  ): Cached<T> | undefined {
    const local = entry?.cached;
    const newest = local && (!shared || entry.version >= shared.version) ? local : shared;
    return newest && performance.now() - newest.freshUntil < this.times.staleMs ? newest : undefined;
  }

  private isOutdated(key: string, { value }: Cached<T>, copy: SharedCopy | undefined): boolean {
    const version = this.versionOf(value);
    return version < this.minimumVersionOf(key) || (copy?.outdated === true && version <= copy.version);
  }
}
