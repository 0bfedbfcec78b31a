import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TransientError } from '../errors/index.js';
import { CacheStatistics } from './cache-statistics.js';
import { ReadThroughCache, type Cached } from './read-through-cache.js';
import type { SharedCopies, SharedCopy } from './shared-copies.js';

interface Thing {
  version: number;
  name: string;
}

const times = { ttlMs: 60_000, localTtlMs: 1000, staleMs: 3_600_000, localBytes: 1_000_000 };
const away = () => new TransientError({ code: 'database-unavailable', detail: 'away' });

/** A source whose answers the test gives by hand. */
class Source {
  readonly asked: PromiseWithResolvers<Thing | undefined>[] = [];

  readonly load = (): Promise<Thing | undefined> => {
    const question = Promise.withResolvers<Thing | undefined>();
    this.asked.push(question);
    return question.promise;
  };

  answer(i: number, version: number): void {
    this.asked[i]?.resolve({ version, name: `v${version}` });
  }
}

class FakeCopies {
  copy?: SharedCopy;
  readonly put = vi.fn<SharedCopies['put']>((_key, version, text, freshForMs) => {
    this.copy = { version, text, freshForMs, outdated: false };
    return Promise.resolve();
  });
  readonly outdate = vi.fn<SharedCopies['outdate']>();
  readonly remove = vi.fn<SharedCopies['remove']>(() => Promise.resolve());

  read(): Promise<SharedCopy | undefined> {
    return Promise.resolve(this.copy);
  }
}

describe('A read-through cache', () => {
  let source: Source;
  let copies: FakeCopies;
  let statistics: CacheStatistics;
  let cache: ReadThroughCache<Thing>;

  beforeEach(() => {
    // Not `setImmediate`: a time limit reads arrived input before it times out.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    source = new Source();
    copies = new FakeCopies();
    statistics = new CacheStatistics();
    cache = new ReadThroughCache<Thing>(
      { name: 'things', load: source.load, versionOf: ({ version }) => version },
      times,
      statistics,
      copies as unknown as SharedCopies,
    );
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** Runs everything that needs no time and no answer. */
  const settle = () => vi.advanceTimersByTimeAsync(0);

  async function filled(version = 1): Promise<void> {
    const first = cache.get('a');
    await settle();
    source.answer(source.asked.length - 1, version);
    await first;
  }

  it('loads once for all concurrent reads', async () => {
    const answers = Promise.all([cache.get('a'), cache.get('a'), cache.get('a')]);
    await settle();
    source.answer(0, 1);
    expect((await answers).map((cached) => cached?.value.name)).toEqual(['v1', 'v1', 'v1']);
    expect(source.asked).toHaveLength(1);
    expect(statistics).toMatchObject({ loaded: 1, joined: 2 });
  });

  it('answers synchronously from memory while its copy is fresh', async () => {
    await filled();
    expect(cache.get('a')).toMatchObject({ value: { name: 'v1' }, stale: false });
    await vi.advanceTimersByTimeAsync(999);
    expect(cache.get('a')).not.toBeInstanceOf(Promise);
    await vi.advanceTimersByTimeAsync(1);
    expect(cache.get('a')).toBeInstanceOf(Promise);
    expect(statistics.local).toBe(2);
  });

  it('looks for a newer shared copy when its own is no longer fresh', async () => {
    await filled();
    await vi.advanceTimersByTimeAsync(1000);
    copies.copy = { version: 2, text: '{"version":2,"name":"v2"}', freshForMs: 50_000, outdated: false };
    expect(await cache.get('a')).toMatchObject({ value: { name: 'v2' }, stale: false });
    expect(source.asked).toHaveLength(1);
  });

  it('looks for one in time also when the clock was set back meanwhile', async () => {
    await filled();
    await vi.advanceTimersByTimeAsync(1000);
    vi.setSystemTime(Date.now() - 24 * 3_600_000);
    copies.copy = { version: 2, text: '{"version":2,"name":"v2"}', freshForMs: 50_000, outdated: false };
    expect(await cache.get('a')).toMatchObject({ value: { name: 'v2' } });
  });

  it('jitters the time to live by 10 %', async () => {
    for (const [version, random, expected] of [
      [1, 0, 54_000],
      [2, 0.999999, 66_000],
    ] as const) {
      vi.spyOn(Math, 'random').mockReturnValue(random);
      copies.copy = undefined;
      cache.outdate('a', version);
      await filled(version);
      expect(copies.put.mock.lastCall?.[3]).toBeCloseTo(expected, -2);
    }
    vi.restoreAllMocks();
  });

  it('does not cache absence', async () => {
    const first = cache.get('unknown');
    await settle();
    source.asked[0]?.resolve(undefined);
    expect(await first).toBeUndefined();
    const second = cache.get('unknown');
    await settle();
    expect(source.asked).toHaveLength(2);
    source.asked[1]?.resolve(undefined);
    await second;
    expect(copies.put).not.toHaveBeenCalled();
  });

  it('passes the error of the source on without a copy, and asks again next time', async () => {
    const first = cache.get('a');
    await settle();
    source.asked[0]?.reject(away());
    await expect(first).rejects.toThrow(TransientError);
    await filled(3);
    expect(cache.get('a')).toMatchObject({ value: { name: 'v3' } });
  });

  it.each([
    ['what it is told that they take', () => 400_000],
    ['their JSON', undefined],
  ])('forgets the least recently used entries beyond its bytes, by %s', async (_, sizeOf) => {
    const name = 'x'.repeat(sizeOf ? 1 : 200_000);
    const small = new ReadThroughCache<Thing>(
      { name: 'few', load: () => Promise.resolve({ version: 1, name }), sizeOf },
      times,
      statistics,
    );
    for (const key of ['a', 'b', 'c']) await small.get(key);
    expect(small.get('c')).not.toBeInstanceOf(Promise);
    expect(small.get('b')).not.toBeInstanceOf(Promise);
    expect(small.get('a')).toBeInstanceOf(Promise);
  });

  it('returns values larger than its limit without keeping them', async () => {
    const small = new ReadThroughCache<Thing>(
      { name: 'large', load: () => Promise.resolve({ version: 1, name: 'large' }), sizeOf: () => 2_000_000 },
      times,
      statistics,
    );
    expect(await small.get('a')).toMatchObject({ value: { name: 'large' } });
    expect(small.get('a')).toBeInstanceOf(Promise);
  });

  it('does not grow by changes of unread keys', () => {
    for (let id = 0; id < 20_000; id += 1) cache.outdate(`a product with the number ${id}`, 1);
    const { entries } = cache as unknown as { entries: { size: number; calculatedSize: number } };
    expect(entries.calculatedSize).toBeLessThanOrEqual(times.localBytes);
    expect(entries.size).toBeLessThan(5000);
  });

  describe('never goes back', () => {
    const old = { version: 1, text: '{"version":1,"name":"v1"}', freshForMs: 50_000, outdated: false };

    it('to a shared copy that is older than its own', async () => {
      await filled(2);
      copies.copy = old;
      await vi.advanceTimersByTimeAsync(1000);
      const later = cache.get('a');
      await settle();
      source.answer(1, 2);
      expect((await later)?.value.name).toBe('v2');
      expect(cache.get('a')).toMatchObject({ value: { name: 'v2' }, stale: false });
    });

    it('to that one, even when the source is down', async () => {
      await filled(2);
      copies.copy = old;
      await vi.advanceTimersByTimeAsync(70_000);
      const later = cache.get('a');
      await settle();
      source.asked[1]?.reject(away());
      expect(await later).toMatchObject({ value: { name: 'v2' }, stale: true });
    });

    it('to the result of a slow load after a newer copy', async () => {
      await filled(1);
      copies.copy = { ...old, freshForMs: 0 };
      await vi.advanceTimersByTimeAsync(1000);
      const slow = cache.get('a');
      await settle();
      await vi.advanceTimersByTimeAsync(250);
      expect(await slow).toMatchObject({ value: { name: 'v1' }, stale: true });
      copies.copy = { version: 3, text: '{"version":3,"name":"v3"}', freshForMs: 50_000, outdated: false };
      await vi.advanceTimersByTimeAsync(1000);
      expect((await cache.get('a'))?.value.name).toBe('v3');
      source.answer(1, 2);
      await settle();
      expect(cache.get('a')).toMatchObject({ value: { name: 'v3' } });
    });

    it('except to the source, once its own copy is no longer fresh, as after a restored database', async () => {
      await filled(5);
      copies.copy = undefined;
      await vi.advanceTimersByTimeAsync(70_000);
      const restored = cache.get('a');
      await settle();
      source.answer(1, 3);
      expect((await restored)?.value.name).toBe('v3');
      expect(cache.get('a')).toMatchObject({ value: { name: 'v3' } });
    });
  });

  it('loads outside of the request that asks first', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const outside = new ReadThroughCache<Thing>(
      {
        name: 'outside',
        load: () => {
          seen.push(storage.getStore());
          return Promise.resolve(undefined);
        },
      },
      times,
      statistics,
    );
    await storage.run('a request', () => outside.get('a'));
    expect(seen).toEqual([undefined]);
  });

  describe('when a change overtakes a load', () => {
    it('neither keeps the loaded value nor returns it to later reads', async () => {
      const early = cache.get('a');
      await settle();
      cache.outdate('a', 2);
      const late = cache.get('a');
      await settle();
      expect(source.asked).toHaveLength(2);

      source.answer(1, 2);
      expect((await late)?.value.name).toBe('v2');
      source.answer(0, 1);
      expect((await early)?.value.name).toBe('v2');
      expect(cache.get('a')).toMatchObject({ value: { name: 'v2' } });
      expect(copies.put.mock.calls.map(([, version]) => version)).toEqual([2]);
    });

    it('does the same when the old answer arrives first', async () => {
      const early = cache.get('a');
      await settle();
      cache.outdate('a', 2);
      source.answer(0, 1);
      await early;
      expect(cache.get('a')).toBeInstanceOf(Promise);
      await settle();
      source.answer(1, 2);
      await settle();
      expect(cache.get('a')).toMatchObject({ value: { name: 'v2' } });
    });

    it('rejects a shared copy that is older than a change of this process', async () => {
      copies.copy = { version: 1, text: '{"version":1,"name":"v1"}', freshForMs: 50_000, outdated: false };
      expect((await cache.get('a'))?.value.name).toBe('v1');
      cache.outdate('a', 2);
      const after = cache.get('a');
      await settle();
      source.answer(0, 2);
      expect((await after)?.value.name).toBe('v2');
      expect(copies.outdate).toHaveBeenCalledWith('a', 2);
    });

    it('does not keep a load older than the change, even if it started later', async () => {
      cache.outdate('a', 5);
      const lagging = cache.get('a');
      await settle();
      source.answer(0, 4);
      await lagging;
      expect(cache.get('a')).toBeInstanceOf(Promise);
      expect(copies.put).not.toHaveBeenCalled();
    });

    it('does not return a stale copy after the change that was chosen before', async () => {
      await filled(1);
      copies.copy = undefined;
      await vi.advanceTimersByTimeAsync(1000);
      const slow = cache.get('a');
      await settle();
      cache.outdate('a', 2);
      await vi.advanceTimersByTimeAsync(250);
      expect(await slow).toMatchObject({ stale: true, value: { name: 'v1' } });
      expect(cache.get('a')).toBeInstanceOf(Promise);
    });

    it('invalidates all entries at once, including loads in progress', async () => {
      const local = new ReadThroughCache<Thing>({ name: 'pages', load: source.load }, times, statistics);
      const early = local.get('first');
      await settle();
      local.outdateAll();
      source.answer(0, 1);
      await early;
      const late = local.get('first');
      expect(late).toBeInstanceOf(Promise);
      await settle();
      source.answer(1, 2);
      expect((await late)?.value.name).toBe('v2');
    });
  });

  describe('when the source is down', () => {
    /** A copy that is no longer fresh anywhere. */
    async function withStaleCopy(): Promise<void> {
      await filled();
      copies.copy = undefined;
      await vi.advanceTimersByTimeAsync(70_000);
    }

    it('answers with the stale copy when the source fails', async () => {
      await withStaleCopy();
      const answer = cache.get('a');
      await settle();
      source.asked[1]?.reject(away());
      const cached = (await answer) as Cached<Thing>;
      expect(cached).toMatchObject({ stale: true, value: { name: 'v1' } });
      expect(cached.freshUntil).toBeLessThanOrEqual(performance.now());
      expect(statistics.stale).toBe(1);
    });

    it('waits 250 ms for a silent source, and not again while it is silent', async () => {
      await withStaleCopy();
      const first = cache.get('a');
      await vi.advanceTimersByTimeAsync(249);
      expect(await Promise.race([first, Promise.resolve('waiting')])).toBe('waiting');
      await vi.advanceTimersByTimeAsync(1);
      expect(await first).toMatchObject({ stale: true });
      expect(cache.get('a')).not.toBeInstanceOf(Promise);

      await vi.advanceTimersByTimeAsync(900);
      cache.outdate('a', 2);
      const second = cache.get('a');
      await settle();
      expect(await Promise.race([second, Promise.resolve('waiting')])).toMatchObject({ stale: true });
    });

    it('waits longer for a known change, so that its author sees it', async () => {
      await filled();
      copies.copy = undefined;
      cache.outdate('a', 2);
      const slow = cache.get('a');
      await vi.advanceTimersByTimeAsync(999);
      expect(await Promise.race([slow, Promise.resolve('waiting')])).toBe('waiting');
      source.answer(1, 2);
      expect(await slow).toMatchObject({ stale: false, value: { name: 'v2' } });

      copies.copy = { version: 2, text: '{"version":2,"name":"v2"}', freshForMs: 0, outdated: true };
      await vi.advanceTimersByTimeAsync(1000);
      const changedElsewhere = cache.get('a');
      await vi.advanceTimersByTimeAsync(999);
      expect(await Promise.race([changedElsewhere, Promise.resolve('waiting')])).toBe('waiting');
      await vi.advanceTimersByTimeAsync(1);
      expect(await changedElsewhere).toMatchObject({ stale: true, value: { name: 'v2' } });
    });

    it.each([
      ['', 0],
      [' in time, although the clock was set back,', 24 * 3_600_000],
    ])('notices%s when the source is back', async (_, setBackMs) => {
      await withStaleCopy();
      const first = cache.get('a');
      await settle();
      source.asked[1]?.reject(away());
      await first;
      await vi.advanceTimersByTimeAsync(1000);
      vi.setSystemTime(Date.now() - setBackMs);
      const second = cache.get('a');
      await settle();
      source.answer(2, 2);
      expect(await second).toMatchObject({ stale: false, value: { name: 'v2' } });
    });

    it('probes a silent source with one load at a time, and keeps its result', async () => {
      await withStaleCopy();
      const first = cache.get('a');
      await vi.advanceTimersByTimeAsync(250);
      await first;
      cache.outdate('a', 2);
      await cache.get('a');
      await cache.get('a');
      expect(source.asked).toHaveLength(3);
      source.answer(2, 2);
      await settle();
      expect(cache.get('a')).toMatchObject({ stale: false, value: { name: 'v2' } });
    });

    it('continues with stale copies after a failed probe', async () => {
      await withStaleCopy();
      const first = cache.get('a');
      await settle();
      source.asked[1]?.reject(away());
      await first;
      cache.outdate('a', 2);
      expect(await cache.get('a')).toMatchObject({ stale: true });
      source.asked[2]?.reject(away());
      await vi.advanceTimersByTimeAsync(900);
      cache.outdate('a', 3);
      expect(await cache.get('a')).toMatchObject({ stale: true });
      expect(source.asked).toHaveLength(4);
    });

    it('serves the shared stale copy when it has none of its own', async () => {
      copies.copy = { version: 7, text: '{"version":7,"name":"v7"}', freshForMs: -5000, outdated: false };
      const answer = cache.get('a');
      await settle();
      source.asked[0]?.reject(away());
      expect(await answer).toMatchObject({ stale: true, value: { name: 'v7' } });
    });

    it('does not return a copy that is too old', async () => {
      await filled();
      copies.copy = undefined;
      await vi.advanceTimersByTimeAsync(times.ttlMs * 1.2 + times.staleMs);
      const answer = cache.get('a');
      await settle();
      source.asked[1]?.reject(away());
      await expect(answer).rejects.toThrow(TransientError);
    });

    it('does not hide a bug behind a stale copy', async () => {
      await withStaleCopy();
      const answer = cache.get('a');
      await settle();
      source.asked[1]?.reject(new TypeError('a bug'));
      await expect(answer).rejects.toThrow(TypeError);
    });

    it('forgets what the source no longer has', async () => {
      await withStaleCopy();
      const answer = cache.get('a');
      await settle();
      source.asked[1]?.resolve(undefined);
      expect(await answer).toBeUndefined();
      expect(copies.remove).toHaveBeenCalledWith('a');
      const again = cache.get('a');
      await settle();
      source.asked[2]?.reject(away());
      await expect(again).rejects.toThrow(TransientError);
    });
  });

  it('treats an unreadable shared copy as missing', async () => {
    copies.copy = { version: 1, text: '{broken', freshForMs: 50_000, outdated: false };
    const answer = cache.get('a');
    await settle();
    source.answer(0, 1);
    expect(await answer).toMatchObject({ value: { name: 'v1' } });
  });
});
