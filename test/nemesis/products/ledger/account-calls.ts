import type { AccountInput, AccountOutput } from '../../checker/account-with-version.ts';
import type { Call } from '../../checker/model.ts';
import type { Operation } from '../../history.ts';
import type { SeenAccount } from './clients.ts';
import { attemptsByKey, isKept, type Judged, type Write } from './evidence.ts';

export type AccountCall = Call<AccountInput, AccountOutput> & { about: string[] };

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
  const { balance, version, name } = last;
  const end = Math.max(0, ...history.map(({ completedAt = 0 }) => completedAt)) + 1;
  const read: AccountCall = {
    input: { kind: 'read' },
    output: { seen: { balance, version, name } },
    invokedAt: end,
    about: [account],
  };
  return [...moves, ...changes, { ...read, completedAt: Number.MAX_VALUE }];
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

function changeOf(operation: Operation): AccountCall[] {
  const { input, outcome, status, value, invokedAt, completedAt, requestId, key } = operation;
  const { name, ifMatch } = input as { name: string; ifMatch: string };
  const version = ifMatch === '*' ? undefined : Number(ifMatch.slice(2, -1));
  const about = [requestId, key].filter((id) => id !== undefined);
  const call = { input: { kind: 'change', name, version } as const, invokedAt, about };
  if (outcome === 'ok') {
    const { balance, version: seen, name: shown } = value as SeenAccount;
    return [{ ...call, output: { seen: { balance, version: seen, name: shown } }, completedAt }];
  }
  if (status === 412) return [{ ...call, output: { stale: true }, completedAt }];
  return outcome === 'unknown' ? [call] : [];
}
