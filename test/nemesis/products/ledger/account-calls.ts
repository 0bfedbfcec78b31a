import { changeOf, finalRead, type AccountCall } from '../../checker/judge-accounts.ts';
import type { Operation } from '../../history.ts';
import { attemptsByKey, isKept, type Judged, type Write } from './evidence.ts';

/** Everything that was done with one account, as its clients saw it. */
export function callsOf(account: string, { history, final }: Judged): AccountCall[] {
  const attempts = attemptsByKey(history);
  const transfers = new Set(final.transfers.map(({ parts }) => parts[0]!.amount));
  const moves = final.writes
    .filter(({ kind }) => kind === 'transfer')
    .flatMap((write) => moveOf(account, write, attempts.get(write.key) ?? [], transfers.has(write.amount)));
  const changes = history
    .filter(({ kind, object }) => kind === 'change' && object === account)
    .flatMap((operation) => changeOf(operation));
  const last = final.accounts.find(({ id }) => id === account)!;
  return [...moves, ...changes, finalRead(last, history)];
}

function moveOf(account: string, write: Write, attempts: Operation[], exists: boolean): AccountCall[] {
  const { parts } = write.body as { parts: { to: string; amount: number }[] };
  const got = parts.filter(({ to }) => to === account).reduce((sum, { amount }) => sum + amount, 0);
  const amount = got - (write.from === account ? write.amount : 0);
  if (amount === 0 || attempts.length === 0) return [];
  const invokedAt = Math.min(...attempts.map((attempt) => attempt.invokedAt));
  const answer = attempts.filter(isKept).toSorted((a, b) => a.completedAt! - b.completedAt!)[0];
  const input = { kind: 'move', amount } as const;
  const about = [write.key];
  if (answer?.outcome === 'ok')
    return [{ input, output: { moved: true }, invokedAt, completedAt: answer.completedAt, about }];
  if (exists) return [{ input, output: { moved: true }, invokedAt, tookEffect: true, about }];
  if (answer?.code !== 'insufficient-funds' || write.from !== account) return [];
  const { available } = JSON.parse(answer.body!) as { available: number };
  return [{ input, output: { available }, invokedAt, completedAt: answer.completedAt, about }];
}
