/** A seeded source of numbers: the same seed gives the same numbers, on every machine and in every version of Node. */
export class Random {
  private readonly seed: number;
  private state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.state = this.seed;
  }

  /** Another source, which depends on this one's seed and the label alone: one draw more here changes nothing there. */
  fork(label: string): Random {
    // FNV-1a.
    let hash = this.seed ^ 0x811c9dc5;
    for (const character of label) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
    return new Random(hash);
  }

  /** At least 0, below 1. Mulberry32 (Tommy Ettinger, public domain). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length - 1)]!;
  }

  /** One of `from`, each as often as its weight says. */
  weighted<T>(from: readonly T[], weightOf: (one: T) => number): T {
    let rest = this.next() * from.reduce((sum, one) => sum + weightOf(one), 0);
    return from.find((one) => (rest -= weightOf(one)) < 0) ?? from.at(-1)!;
  }
}
