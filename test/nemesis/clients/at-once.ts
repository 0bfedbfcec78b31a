import type { Client, Done } from './client.ts';

/** As many as a process has connections to PostgreSQL (`DATABASE_POOL_SIZE`). */
const AT_ONCE = 10;
const ROUNDS = 30;
const PAUSE_MS = 300;

/**
 * Sends requests at once, again and again until all of a round are answered by more than "unavailable": a process that has kept one
 * broken connection serves most requests, and some of them never.
 * @returns false when there was no such round; undefined when the client ended first
 */
export async function servesAtOnce(client: Client, act: () => Promise<Done>): Promise<boolean | undefined> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const all = await Promise.all(Array.from({ length: AT_ONCE }, act));
    if (all.every(({ operation: { outcome } }) => outcome !== 'unknown')) return true;
    await client.pause(PAUSE_MS);
    if (client.isOver) return undefined;
  }
  return false;
}
