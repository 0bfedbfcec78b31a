import type { Operation } from '../../history.ts';
import type { Evidence } from '../../invariant.ts';
import type { Final, FinalTransfer } from './final.ts';

export interface Judged {
  history: readonly Operation[];
  final: Final;
}

export type Write = Final['writes'][number];

export { attemptsByKey, isKept, successes } from '../../invariants/attempts.ts';

export function amountOf({ parts }: FinalTransfer): number {
  return parts.reduce((sum, { amount }) => sum + amount, 0);
}

/** What is stored of each write, by the amount that no other write has. */
export function effectsByAmount<Row>(rows: readonly Row[], amount: (row: Row) => number): Map<number, Row[]> {
  return Map.groupBy(rows, amount);
}

export function aboutWrite(what: string, { key, from }: Write, ...ids: string[]): Evidence {
  return { what, about: [key, from, ...ids] };
}
