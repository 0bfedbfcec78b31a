import type { Call, Model } from '../../checker/model.ts';
import type { Operation } from '../../history.ts';
import type { SeenAccount } from './clients.ts';
import { attemptsByKey, isKept, type Judged, type Write } from './evidence.ts';

export interface AccountState {
  balance: number;
  version: number;
  name: string;
}

export type AccountInput =
  /** A transfer from the account (negative) or to it. */
  | { kind: 'move'; amount: number }
  /** A new name, if the account has this version; undefined for any. */
  | { kind: 'change'; name: string; version?: number }
  | { kind: 'read' };

export type AccountOutput =
  | { seen: AccountState }
  | { moved: true }
  /** Refused, because there was only so much. */
  | { available: number }
  /** Refused, because it had another version. */
  | { stale: true };

/** Above this many open transfers all their selections would take too long. */
const MOST_SELECTED_FROM = 12;

/** An account as the ledger keeps it: each change of balance or name makes the next version. */
export function accountModel(initial: AccountState): Model<AccountState, AccountInput, AccountOutput> {
  return {
    initial,
    key: ({ balance, version, name }) => `${version} ${balance} ${name}`,
    step,
    refutes: (state, open, input, output) => {
      const wanted = neededBefore(input, output);
      return wanted !== undefined && !reachable(state, open, wanted);
    },
  };
}

function step(
  state: AccountState,
  input: AccountInput,
  output: AccountOutput | undefined,
): AccountState | undefined {
  if (input.kind === 'read') return output && isSeen(output, state) ? state : undefined;
  if (input.kind === 'move') {
    const enough = state.balance + input.amount >= 0;
    if (output && 'available' in output)
      return !enough && state.balance === output.available ? state : undefined;
    // A transfer that was refused is of no consequence: unanswered ones are asked about only if they took place.
    return enough
      ? { ...state, balance: state.balance + input.amount, version: state.version + 1 }
      : undefined;
  }
  const fits = input.version === undefined || input.version === state.version;
  if (output && 'stale' in output) return fits ? undefined : state;
  if (!fits) return output ? undefined : state;
  const next = { balance: state.balance, version: state.version + 1, name: input.name };
  return !output || isSeen(output, next) ? next : undefined;
}

function isSeen(output: AccountOutput, { balance, version, name }: AccountState): boolean {
  if (!('seen' in output)) return false;
  const { seen } = output;
  return seen.balance === balance && seen.version === version && seen.name === name;
}

/** What balance, and with how many changes before it, the answer speaks of. */
function neededBefore(
  input: AccountInput,
  output: AccountOutput | undefined,
): { balance: number; version?: number } | undefined {
  if (!output) return undefined;
  if ('available' in output) return { balance: output.available };
  if (!('seen' in output)) return undefined;
  const { balance, version } = output.seen;
  return { balance, version: input.kind === 'change' ? version - 1 : version };
}

function reachable(
  { balance, version }: AccountState,
  open: readonly AccountInput[],
  wanted: { balance: number; version?: number },
): boolean {
  const moves = open.flatMap((input) => (input.kind === 'move' ? [input.amount] : []));
  if (moves.length > MOST_SELECTED_FROM) return true;
  // A change of the name changes no balance: of those there can be any number, but no more than there are.
  const changes = open.filter(
    (input) => input.kind === 'change' && (input.version ?? version) >= version,
  ).length;
  const from = (index: number, sum: number, moved: number): boolean => {
    const missing = wanted.version === undefined ? 0 : wanted.version - version - moved;
    if (missing < 0) return false;
    if (sum === wanted.balance && missing <= changes) return true;
    if (index === moves.length) return false;
    return from(index + 1, sum + moves[index]!, moved + 1) || from(index + 1, sum, moved);
  };
  return from(0, balance, 0);
}

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
