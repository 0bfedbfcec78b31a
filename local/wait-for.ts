import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds after which it is a failure. The default is far above what anything takes on a slow machine: it costs nothing. */
  within?: number;
  every?: number;
  /** What is waited for, for the message of the failure. */
  what?: string;
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/**
 * Waits until `condition` answers something truthy and returns that. A condition that throws counts as "not yet"; its
 * last error is told when time is up.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { within = 20_000, every = 20, what = 'the condition' }: WaitOptions = {},
): Promise<Truthy<T>> {
  const deadline = Date.now() + within;
  let lastError: unknown;
  for (;;) {
    try {
      const result = await condition();
      if (result) return result as Truthy<T>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() >= deadline) {
      const reason = lastError instanceof Error ? `: ${lastError.message}` : '';
      throw new Error(`${what} did not come true within ${within} ms${reason}`, { cause: lastError });
    }
    await delay(every);
  }
}
