import type { Model } from './model.ts';

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
