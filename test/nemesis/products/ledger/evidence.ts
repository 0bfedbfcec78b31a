import type { Operation } from '../../history.ts';
import type { Evidence } from '../../invariant.ts';
import type { Final, FinalTransfer } from './final.ts';

export interface Judged {
  history: readonly Operation[];
  final: Final;
}

export type Write = Final['writes'][number];

/** Operations of one kind that were answered with success, with what the answer said. */
export function successes<Value>(
  history: readonly Operation[],
  kind: string,
): (Operation & { value: Value })[] {
  return history.filter((operation): operation is Operation & { value: Value } => {
    return operation.kind === kind && operation.outcome === 'ok' && operation.value !== undefined;
  });
}

/** Attempts of each write, with the body that belongs to its key. */
export function attemptsByKey(history: readonly Operation[]): Map<string, Operation[]> {
  const attempts = history.filter(({ kind, key }) => key !== undefined && !kind.startsWith('forged-'));
  return Map.groupBy(attempts, ({ key }) => key!);
}

/** Whether the answer to a write is kept under its key: success, or a refusal for good. */
export function isKept({ outcome, status, code }: Operation): boolean {
  if (outcome === 'ok') return true;
  return (status === 402 || status === 409) && code !== 'idempotency-key-in-use';
}

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
