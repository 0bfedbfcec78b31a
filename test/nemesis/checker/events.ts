import type { Call } from './model.ts';

export interface Entry<Input, Output> {
  call: Call<Input, Output>;
  /** Order of the answers, last those that never came, in the order of their invocations. */
  rank: number;
  /** Never answered, and nobody knows whether it took effect. */
  optional: boolean;
  /** Its bit while it is open; bits are used again. */
  bit: bigint;
  /** The one before it with the same input, if both are optional. */
  twin?: Entry<Input, Output>;
}

/** The answer of an operation, or the end of the history for one that took effect at an unknown time. */
export interface Event<Input, Output> {
  due: Entry<Input, Output>;
  /** All that may have taken effect by then, but need not have before: it and what is concurrent, by rank. */
  open: Entry<Input, Output>[];
  /** Bits of those among them that are optional. */
  optional: bigint;
}

export function eventsOf<Input, Output>(calls: readonly Call<Input, Output>[]): Event<Input, Output>[] {
  const entries = [...calls]
    .sort((a, b) => endOf(a) - endOf(b) || a.invokedAt - b.invokedAt)
    .map((call, rank): Entry<Input, Output> => {
      const optional = call.completedAt === undefined && call.tookEffect !== true;
      return { call, rank, optional, bit: 0n };
    });
  findTwins(entries);
  const invocations = [...entries].sort((a, b) => a.call.invokedAt - b.call.invokedAt);
  const open = new Set<Entry<Input, Output>>();
  let next = 0;
  return entries
    .filter(({ optional }) => !optional)
    .map((due) => {
      // At the same moment invocations come first: such operations count as concurrent.
      for (; next < invocations.length && invocations[next]!.call.invokedAt <= endOf(due.call); next += 1) {
        const invoked = invocations[next]!;
        invoked.bit = freeBit(open);
        open.add(invoked);
      }
      const openNow = [...open].sort((a, b) => a.rank - b.rank);
      const optional = openNow.reduce((bits, entry) => (entry.optional ? bits | entry.bit : bits), 0n);
      open.delete(due);
      return { due, open: openNow, optional };
    });
}

function findTwins(entries: Entry<unknown, unknown>[]): void {
  const latest = new Map<string, Entry<unknown, unknown>>();
  for (const entry of entries.filter(({ optional }) => optional)) {
    const input = JSON.stringify(entry.call.input);
    entry.twin = latest.get(input);
    latest.set(input, entry);
  }
}

function endOf({ completedAt }: Call<unknown, unknown>): number {
  return completedAt ?? Number.MAX_VALUE;
}

function freeBit(open: ReadonlySet<Entry<unknown, unknown>>): bigint {
  let taken = 0n;
  for (const { bit } of open) taken |= bit;
  let bit = 1n;
  while ((taken & bit) !== 0n) bit <<= 1n;
  return bit;
}
