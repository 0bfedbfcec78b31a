import type { Bench } from './bench.ts';

/** One of the sides that are measured in turn. */
export interface Contestant<T> {
  name: string;
  /** Before the first round: compiles code, fills caches and opens connections. */
  warmUp?: () => Promise<unknown>;
  /** Before each round, not measured. */
  prepare?: () => Promise<unknown>;
  measure: () => Promise<T>;
}

/**
 * Measures contestants in turn, A B A B, so that other activity of the machine affects all of them.
 * @returns by contestant, in their order, the measurements by round
 */
export async function alternate<T>(bench: Bench, contestants: readonly Contestant<T>[]): Promise<T[][]> {
  for (const { name, warmUp, prepare } of contestants) {
    if (!warmUp) continue;
    bench.say(`warming up ${name}`);
    await prepare?.();
    await warmUp();
  }
  const measured: T[][] = contestants.map(() => []);
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const [index, { name, prepare, measure }] of contestants.entries()) {
      bench.say(`round ${round}/${bench.rounds} ${name}`);
      await prepare?.();
      measured[index]?.push(await bench.measuring(measure));
    }
  }
  return measured;
}
