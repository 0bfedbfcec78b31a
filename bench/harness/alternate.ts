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
 * Measures contestants in turn, A B B A, so that other activity of the machine affects all of them, and none always comes first.
 * @param turns how often each is measured
 * @returns by contestant, in their order, the measurements by turn
 */
export async function alternate<T>(
  bench: Bench,
  contestants: readonly Contestant<T>[],
  turns = bench.rounds,
): Promise<T[][]> {
  for (const { name, warmUp, prepare } of contestants) {
    if (!warmUp) continue;
    bench.say(`warming up ${name}`);
    await prepare?.();
    await warmUp();
  }
  const measured: T[][] = contestants.map(() => []);
  for (let turn = 1; turn <= turns; turn += 1) {
    const inOrder = [...contestants.entries()];
    for (const [index, { name, prepare, measure }] of turn % 2 === 1 ? inOrder : inOrder.reverse()) {
      bench.say(`turn ${turn}/${turns} ${name}`);
      await prepare?.();
      measured[index]?.push(await bench.measuring(measure));
    }
  }
  return measured;
}
