import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds after which it fails. The default is far above any time on a slow machine, because that costs nothing. */
  within?: number;
  every?: number;
  /** The awaited condition, for the message of the failure. */
  what?: string;
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/**
 * Waits until `condition` returns something truthy and returns that. A condition that throws counts as "not yet"; its last error
 * is reported at the timeout.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { within = 20_000, every = 20, what = 'the condition' }: WaitOptions = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + within;
  let lastError: unknown;
  for (;;) {
    try {
      const result = await condition();
      if (result) return result as Truthy<T>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      const reason = lastError instanceof Error ? `: ${lastError.message}` : '';
      throw new Error(`Timed out after ${within} ms waiting for ${what}${reason}`, { cause: lastError });
    }
    await delay(every);
  }
}
