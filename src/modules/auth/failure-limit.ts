import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import { TransientError } from '../../platform/errors/index.js';
import type { RedisConnection } from '../../platform/redis/index.js';
import { tooManyFailures } from './auth.errors.js';

/** Attempts of one key that may wait in this process. Beyond that waiting does not help. */
const MAX_WAITING = 500;

/** What this process knows about a key while it has running attempts. */
interface Gate {
  failures: number;
  /** When the window of the failures ends, on `performance.now()`'s clock. */
  endsAt: number;
  /** Counts the changes of `failures`, so that an answer of Redis that was under way meanwhile is known to be old. */
  version: number;
  running: number;
  waiting: (() => void)[];
  users: number;
}

export interface FailureLimitOptions {
  /** Part of the keys in Redis. */
  name: string;
  max: number;
  windowSeconds: number;
  /** Whether a success clears earlier failures. */
  forgiving: boolean;
}

type Limiter = Pick<RateLimiterMemory, 'get' | 'penalty' | 'delete'>;

/**
 * At most `max` failures of a key per window. The count is in Redis, shared by all processes, and in this process while Redis is
 * down.
 *
 * Only failures count, yet parallel guesses gain nothing: as many attempts run at once as there are failures left, and the others
 * wait for their outcome. So correct passwords never wait for long, and wrong ones are at most `max` per process.
 */
export class FailureLimit {
  private readonly gates = new Map<string, Gate>();
  private readonly shared: Limiter;
  private readonly local: Limiter;

  constructor(
    private readonly redis: RedisConnection,
    private readonly options: FailureLimitOptions,
  ) {
    const { name, max, windowSeconds } = options;
    const limiter = { points: max, duration: windowSeconds, keyPrefix: redis.key(name) };
    this.shared = new RateLimiterRedis({ ...limiter, storeClient: redis.client });
    this.local = new RateLimiterMemory(limiter);
  }

  /**
   * Runs an attempt when the key has failures left, and counts it when it fails.
   * @param attempt returns whether it succeeded; one that throws is neither
   * @param max failures for this attempt, when fewer than usual
   * @throws ClientError 429 with `Retry-After`; what `attempt` throws.
   */
  async attempt(key: string, attempt: () => Promise<boolean>, max = this.options.max): Promise<boolean> {
    const gate = this.open(key);
    try {
      await this.enter(gate, key, max);
      try {
        const succeeded = await attempt();
        if (!succeeded) await this.count(gate, key);
        else if (this.options.forgiving && failuresOf(gate) > 0) await this.forgive(gate, key);
        return succeeded;
      } finally {
        gate.running--;
      }
    } finally {
      gate.users--;
      if (gate.users === 0) this.gates.delete(key);
      // Wakes all of them: each checks for itself, and those for which nothing has changed wait on.
      for (const wake of gate.waiting.splice(0)) wake();
    }
  }

  /** Failures of a key in its window. */
  async failures(key: string): Promise<number> {
    return (await this.withLimiter((limiter) => limiter.get(key)))?.consumedPoints ?? 0;
  }

  /** Counts a failure without limiting anything. */
  async add(key: string): Promise<void> {
    await this.withLimiter((limiter) => limiter.penalty(key));
  }

  private async enter(gate: Gate, key: string, max: number): Promise<void> {
    const { version } = gate;
    const known = await this.withLimiter((limiter) => limiter.get(key));
    if (gate.version === version) this.learn(gate, known);
    for (;;) {
      const left = max - failuresOf(gate);
      if (left <= 0) throw tooManyFailures(Math.max(1, Math.ceil((gate.endsAt - performance.now()) / 1000)));
      if (gate.running < left) break;
      if (gate.waiting.length >= MAX_WAITING) {
        throw new TransientError({ code: 'busy', detail: 'Too many logins are waiting. Retry later.' });
      }
      await new Promise<void>((resolve) => gate.waiting.push(resolve));
    }
    // In the same turn as the check, or two could take one place.
    gate.running++;
  }

  private async count(gate: Gate, key: string): Promise<void> {
    const result = await this.withLimiter((limiter) => limiter.penalty(key));
    this.learn(gate, result);
    gate.version++;
  }

  private async forgive(gate: Gate, key: string): Promise<void> {
    await this.withLimiter((limiter) => limiter.delete(key));
    gate.failures = 0;
    gate.version++;
  }

  private learn(gate: Gate, result: RateLimiterRes | null): void {
    gate.failures = result?.consumedPoints ?? 0;
    gate.endsAt = performance.now() + (result?.msBeforeNext ?? 0);
  }

  private open(key: string): Gate {
    let gate = this.gates.get(key);
    if (!gate) {
      gate = { failures: 0, endsAt: 0, version: 0, running: 0, waiting: [], users: 0 };
      this.gates.set(key, gate);
    }
    gate.users++;
    return gate;
  }

  /** Whatever the error of Redis, a login goes on, counted here. */
  private async withLimiter<T>(question: (limiter: Limiter) => Promise<T>): Promise<T> {
    try {
      return await this.redis.run(() => question(this.shared));
    } catch {
      return question(this.local);
    }
  }
}

function failuresOf({ failures, endsAt }: Gate): number {
  return endsAt > performance.now() ? failures : 0;
}
