import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BackgroundThrottle } from './background-throttle.js';

describe('background work', () => {
  let signalIsUp = false;
  const changes: boolean[] = [];
  const throttle = new BackgroundThrottle({ isUp: () => Promise.resolve(signalIsUp) } as never);

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    changes.length = 0;
    throttle.start((yielding) => changes.push(yielding));
  });

  afterEach(async () => {
    signalIsUp = false;
    await vi.advanceTimersByTimeAsync(1_000);
    throttle.stop();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('slows down while requests are rejected, and continues at full speed afterwards', async () => {
    signalIsUp = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(throttle.isOn).toBe(true);
    signalIsUp = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(throttle.isOn).toBe(false);
    expect(changes).toEqual([true, false]);
  });

  it('runs at full speed again when an event has waited for a minute, until it has caught up', async () => {
    signalIsUp = true;
    await vi.advanceTimersByTimeAsync(1_000);
    throttle.handling(60_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(throttle.isOn).toBe(false);
    throttle.handling(20_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(throttle.isOn).toBe(false);
    throttle.handling(9_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(throttle.isOn).toBe(true);
    expect(changes).toEqual([true, false, true]);
  });
});
