import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestContext } from '../context/index.js';
import { BusinessRuleError, NotAttemptedError, TransientError } from '../errors/index.js';
import { Dependency } from './dependency.js';
import type { DependencyPolicy } from './dependency-policy.js';

const policy: DependencyPolicy = {
  timeoutMs: 1000,
  concurrency: 2,
  breaker: { size: 4, minimumCalls: 2 },
  reopenAfterMs: 60_000,
};
const down = () => Promise.reject(new TransientError({ code: 'down', detail: 'down' }));
const up = () => Promise.resolve('up');
/** Only the clock of the circuit is ours: no pause of the machine opens it, or lets a call try again. */
const afterAWhile = (): unknown => vi.advanceTimersByTime(policy.reopenAfterMs + 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function broken(overrides: Partial<DependencyPolicy> = {}): Promise<Dependency> {
  const dependency = new Dependency('bank', { ...policy, ...overrides });
  for (let i = 0; i < 4; i += 1) await dependency.execute(down).catch(() => undefined);
  return dependency;
}

describe('a dependency', () => {
  it('passes answers through', async () => {
    await expect(new Dependency('bank', policy).execute(up)).resolves.toBe('up');
  });

  it('is not called while its circuit is open, with an error that nothing was attempted', async () => {
    const dependency = await broken();
    const work = vi.fn(up);
    await expect(dependency.execute(work)).rejects.toBeInstanceOf(NotAttemptedError);
    expect(work).not.toHaveBeenCalled();
    expect(dependency.circuit).toBe('open');
  });

  it('is called again after a while, and closes its circuit when it answers', async () => {
    const dependency = await broken();
    afterAWhile();
    await expect(dependency.execute(up)).resolves.toBe('up');
    expect(dependency.circuit).toBe('closed');
  });

  it('is called again after a while, also when the clock was set back meanwhile', async () => {
    const dependency = await broken();
    afterAWhile();
    vi.setSystemTime(Date.now() - 24 * 3_600_000);
    await expect(dependency.execute(up)).resolves.toBe('up');
  });

  it('is not called sooner because the clock was set forward', async () => {
    const dependency = await broken();
    vi.setSystemTime(Date.now() + 24 * 3_600_000);
    await expect(dependency.execute(up)).rejects.toBeInstanceOf(NotAttemptedError);
  });

  it('does not count a rejection as an outage', async () => {
    const dependency = new Dependency('bank', policy);
    const refused = () =>
      Promise.reject(new BusinessRuleError({ status: 402, code: 'declined', detail: 'no' }));
    for (let i = 0; i < 20; i += 1) await expect(dependency.execute(refused)).rejects.toThrow('no');
    expect(dependency.circuit).toBe('closed');
  });

  it('is called no more often at once than the bulkhead allows', async () => {
    const dependency = new Dependency('bank', policy);
    const { promise, resolve } = Promise.withResolvers<string>();
    const running = [dependency.execute(() => promise), dependency.execute(() => promise)];
    await expect(dependency.execute(up)).rejects.toBeInstanceOf(NotAttemptedError);
    resolve('done');
    await expect(Promise.all(running)).resolves.toEqual(['done', 'done']);
  });

  it('times out, even when the work ignores the signal', async () => {
    const dependency = new Dependency('bank', { ...policy, timeoutMs: 10 });
    let signal: AbortSignal | undefined;
    const hanging = dependency.execute((call) => {
      signal = call.signal;
      return new Promise(() => undefined);
    });
    await expect(hanging).rejects.toMatchObject({ code: 'bank-timeout' });
    expect(signal?.aborted).toBe(true);
  });

  it('is aborted with the request', async () => {
    const dependency = new Dependency('bank', policy);
    const context = new RequestContext('request-1', 60_000);
    const hanging = context.run(() => dependency.execute(() => new Promise(() => undefined)));
    context.abort('The client went away.');
    await expect(hanging).rejects.toMatchObject({ code: 'request-abandoned' });
  });

  it('is aborted at the deadline of the request', async () => {
    const dependency = new Dependency('bank', policy);
    const context = new RequestContext('request-1', 15);
    await expect(
      context.run(() => dependency.execute(() => new Promise(() => undefined))),
    ).rejects.toMatchObject({ code: 'bank-timeout' });
  });

  it('is called once, because only the caller knows whether a retry is safe', async () => {
    const work = vi.fn(down);
    await expect(new Dependency('bank', policy).execute(work)).rejects.toThrow('down');
    expect(work).toHaveBeenCalledOnce();
  });

  it('reports every change of its circuit', async () => {
    const dependency = new Dependency('bank', policy);
    const seen: string[] = [];
    dependency.onCircuitChange((state) => seen.push(state));
    for (let i = 0; i < 4; i += 1) await dependency.execute(down).catch(() => undefined);
    afterAWhile();
    await dependency.execute(up);
    expect(seen).toEqual(['open', 'half-open', 'closed']);
  });
});

describe('the circuit breaker alone', () => {
  /** A call that is made elsewhere. */
  const guarded = <T>(dependency: Dependency, work: () => Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      dependency.admit((ended) => {
        work().then(
          (result) => {
            ended();
            resolve(result);
          },
          (error: Error) => {
            ended(error);
            reject(error);
          },
        );
      }, reject);
    });

  it('opens, rejects, and closes again', async () => {
    const dependency = new Dependency('bank', policy);
    for (let i = 0; i < 2; i += 1) await expect(guarded(dependency, down)).rejects.toThrow('down');
    await expect(guarded(dependency, up)).rejects.toBeInstanceOf(NotAttemptedError);
    afterAWhile();
    await expect(guarded(dependency, up)).resolves.toBe('up');
    expect(dependency.circuit).toBe('closed');
  });

  it('opens for calls that fail after their first answer, once one has failed', async () => {
    const dependency = new Dependency('bank', { ...policy, breaker: { size: 10, minimumCalls: 5 } });
    const outage = new TransientError({ code: 'down', detail: 'down' });
    await expect(guarded(dependency, down)).rejects.toThrow('down');
    for (let i = 0; i < 5 && dependency.circuit === 'closed'; i += 1) {
      await new Promise<void>((resolve, refused) => {
        dependency.admit((ended) => {
          ended(undefined, true);
          setImmediate(() => {
            ended(outage);
            setImmediate(resolve);
          });
        }, refused);
      });
    }
    expect(dependency.circuit).toBe('open');
  });

  it('stays open when the trial call ends without having reached the dependency', async () => {
    const dependency = await broken();
    const states: string[] = [];
    dependency.onCircuitChange((state) => states.push(state));
    const refused = new BusinessRuleError({ status: 409, code: 'busy', detail: 'busy' });
    const trial = () =>
      new Promise<void>((resolve, reject) => {
        dependency.admit((ended) => {
          ended(refused);
          resolve();
        }, reject);
      });
    afterAWhile();
    await trial();
    await vi.waitFor(() => expect(states).toEqual(['half-open', 'open']), { timeout: 20_000 });
  });

  it('counts an outage that the first call after another meets after its first answer', async () => {
    const dependency = await broken({ breaker: { size: 4, minimumCalls: 1 } });
    const trial = () =>
      new Promise<(outage?: Error) => void>((resolve, reject) => dependency.admit(resolve, reject));
    afterAWhile();
    const ended = await trial();
    ended(undefined);
    await vi.waitFor(() => expect(dependency.circuit).toBe('closed'), { timeout: 20_000 });
    for (let i = 0; i < 2; i += 1) ended(new TransientError({ code: 'down', detail: 'down' }));
    await vi.waitFor(() => expect(dependency.circuit).toBe('open'), { timeout: 20_000 });
  });

  it('forgets single failures between successes', async () => {
    const dependency = new Dependency('bank', { ...policy, breaker: { size: 10, minimumCalls: 5 } });
    for (let i = 0; i < 20; i += 1) {
      await guarded(dependency, down).catch(() => undefined);
      await guarded(dependency, up);
      await guarded(dependency, up);
    }
    expect(dependency.circuit).toBe('closed');
  });
});
