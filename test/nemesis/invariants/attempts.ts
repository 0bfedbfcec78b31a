import type { Operation } from '../history.ts';

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
