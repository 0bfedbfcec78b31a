import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../../local/wait-for.js';
import { switchOff } from './fast-paths.js';
import { unwatch, watch, type Watched } from './shared-timer.js';

describe.each([['one timer for all', []] as const, ['a timer for each', ['shared-timer']] as const])(
  'what is watched by %s',
  (_, off) => {
    beforeAll(() => switchOff(off));
    afterAll(() => switchOff([]));

    it('is given up at its moment and not before, in the order of the moments', async () => {
      const ended: string[] = [];
      const began = performance.now();
      const given: number[] = [];
      const watched = (name: string, afterMs: number): Watched => {
        const one: Watched = {
          giveUpAt: began + afterMs,
          giveUp: () => {
            if (!unwatch(one)) return;
            ended.push(name);
            given.push(performance.now() - began - afterMs);
          },
        };
        watch(one);
        return one;
      };
      watched('late', 400);
      watched('soon', 50);
      const answered = watched('answered', 100);
      watched('never', Infinity);
      expect(unwatch(answered)).toBe(true);
      expect(unwatch(answered)).toBe(false);
      await waitFor(() => ended.length === 2, { what: 'two that are given up' });
      await delay(50);
      expect(ended).toEqual(['soon', 'late']);
      // Timers may be a millisecond early.
      for (const lateMs of given) expect(lateMs).toBeGreaterThan(-2);
    });

    it('is not given up because this process has stalled', async () => {
      const ended: string[] = [];
      const watched = (name: string, afterMs: number): Watched => {
        const one: Watched = {
          giveUpAt: performance.now() + afterMs,
          giveUp: () => {
            if (unwatch(one)) ended.push(name);
          },
        };
        watch(one);
        return one;
      };
      const answered = watched('answered after the stall', 3000);
      watched('silent', 3000);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000);
      await delay(50);
      expect([unwatch(answered), ended]).toEqual([true, []]);
      await waitFor(() => ended.length === 1, { within: 20_000, what: 'the one without an answer' });
    });
  },
);
