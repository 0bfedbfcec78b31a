import { describe, expect, it, vi } from 'vitest';
import { NotAttemptedError } from '../errors/index.js';
import { Dependency } from './dependency.js';
import { FaultInjector } from './fault-injector.js';

const AS = { withinMs: 5, refused: () => new Error('refused'), unanswered: () => new Error('unanswered') };

const policy = {
  timeoutMs: 20,
  concurrency: 10,
  breaker: { size: 100, minimumCalls: 100 },
  reopenAfterMs: 1000,
};

describe('injected faults', () => {
  it('affect their target and nothing else', async () => {
    const faults = new FaultInjector();
    faults.set('dependency:bank', { kind: 'fail' });
    const work = vi.fn(() => Promise.resolve('up'));
    await expect(new Dependency('bank', policy, faults).execute(work)).rejects.toBeInstanceOf(
      NotAttemptedError,
    );
    const refused = new Promise((_, reject) => {
      new Dependency('bank', policy, faults).admit(() => void work(), reject);
    });
    await expect(refused).rejects.toBeInstanceOf(NotAttemptedError);
    expect(work).not.toHaveBeenCalled();
    await expect(new Dependency('mail', policy, faults).execute(work)).resolves.toBe('up');
  });

  it('leave a blocked call without an answer until its own timeout', async () => {
    const faults = new FaultInjector();
    faults.set('dependency:bank', { kind: 'block' });
    await expect(
      new Dependency('bank', policy, faults).execute(() => Promise.resolve()),
    ).rejects.toMatchObject({ code: 'bank-timeout' });
  });

  it('open the circuit, as the failures that they stand for do', async () => {
    const faults = new FaultInjector();
    const dependency = new Dependency('bank', { ...policy, breaker: { size: 4, minimumCalls: 4 } }, faults);
    faults.set('dependency:bank', { kind: 'fail' });
    for (let i = 0; i < 4; i += 1) await dependency.execute(() => Promise.resolve()).catch(() => undefined);
    expect(dependency.circuit).toBe('open');
  });

  it('make calls slow', async () => {
    const faults = new FaultInjector();
    faults.set('route:GET /', { kind: 'slow', delayMs: 500 });
    const started = performance.now();
    await faults.inject('route:GET /', AS);
    // A timer counts from the beginning of its turn of the event loop, which may have been a while ago.
    expect(performance.now() - started).toBeGreaterThan(250);
  });

  it('affect a share of the calls', async () => {
    const faults = new FaultInjector();
    faults.set('x', { kind: 'fail', rate: 0 });
    await expect(faults.inject('x', AS)).resolves.toBeUndefined();
  });

  it('are listed, and end when they are cleared', async () => {
    const faults = new FaultInjector();
    faults.set('x', { kind: 'fail' });
    faults.set('y', { kind: 'slow', delayMs: 1 });
    expect(faults.list()).toEqual([
      { target: 'x', kind: 'fail' },
      { target: 'y', kind: 'slow', delayMs: 1 },
    ]);
    faults.clear('x');
    await expect(faults.inject('x', AS)).resolves.toBeUndefined();
    faults.clear();
    expect(faults.list()).toEqual([]);
  });
});
