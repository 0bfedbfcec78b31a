import { setTimeout as delay } from 'node:timers/promises';
import type { Step } from '../schedule.ts';

const running = new WeakMap<Step, { stopped: AbortController; ended: Promise<void> }>();

/** Does something now, and again and again until `stop`. Only the first time must succeed: the next ones other faults may prevent. */
export async function againAndAgain(step: Step, everyMs: number, work: () => unknown): Promise<void> {
  await work();
  const stopped = new AbortController();
  const { signal } = stopped;
  const repeat = async (): Promise<void> => {
    while (!signal.aborted) {
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await Promise.resolve(work()).catch(() => undefined);
    }
  };
  running.set(step, { stopped, ended: repeat() });
}

export async function stop(step: Step): Promise<void> {
  const work = running.get(step);
  work?.stopped.abort();
  await work?.ended;
}
