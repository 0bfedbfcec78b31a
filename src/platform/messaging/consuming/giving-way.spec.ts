import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GivingWay } from './giving-way.js';

describe('background work', () => {
  let signIsUp = false;
  const changes: boolean[] = [];
  const givingWay = new GivingWay({ isUp: () => Promise.resolve(signIsUp) } as never);

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    changes.length = 0;
    givingWay.start((yielding) => changes.push(yielding));
  });

  afterEach(async () => {
    signIsUp = false;
    await vi.advanceTimersByTimeAsync(1_000);
    givingWay.stop();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('gives way while requests are refused, and goes on as usual afterwards', async () => {
    signIsUp = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(givingWay.isOn).toBe(true);
    signIsUp = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(givingWay.isOn).toBe(false);
    expect(changes).toEqual([true, false]);
  });

  it('takes its share again when an event has waited for a minute, until it has caught up', async () => {
    signIsUp = true;
    await vi.advanceTimersByTimeAsync(1_000);
    givingWay.handling(60_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(givingWay.isOn).toBe(false);
    givingWay.handling(20_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(givingWay.isOn).toBe(false);
    givingWay.handling(9_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(givingWay.isOn).toBe(true);
    expect(changes).toEqual([true, false, true]);
  });
});
