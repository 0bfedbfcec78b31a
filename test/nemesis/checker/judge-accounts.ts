import type { Operation } from '../history.ts';
import type { Evidence, Verdict } from '../invariant.ts';
import {
  accountModel,
  type AccountInput,
  type AccountOutput,
  type AccountState,
} from './account-with-version.ts';
import type { SeenVersion } from './cached-reads.ts';
import { checkLinearizable } from './linearizability.ts';
import type { Call } from './model.ts';

export type AccountCall = Call<AccountInput, AccountOutput> & {
  /** Ids of what it was. */
  about: string[];
};

/** A change of the name: `input` has it, and the version of `If-Match`. */
export function changeOf(operation: Operation): AccountCall[] {
  const { input, outcome, status, value, invokedAt, completedAt, requestId, key } = operation;
  const { name, version } = input as { name: string; version?: number };
  const about = [requestId, key].filter((id) => id !== undefined);
  const call = { input: { kind: 'change', name, version } as const, invokedAt, about };
  if (outcome === 'ok') {
    const { balance, version: seen, name: shown } = value as SeenVersion;
    return [{ ...call, output: { seen: { balance, version: seen, name: shown } }, completedAt }];
  }
  if (status === 412) return [{ ...call, output: { stale: true }, completedAt }];
  return outcome === 'unknown' ? [call] : [];
}

/** What is stored in the end, as a read after everything else. */
export function finalRead(
  { id, balance, version, name }: AccountState & { id: string },
  history: readonly Operation[],
): AccountCall {
  const end = history.reduce((latest, { completedAt = 0 }) => Math.max(latest, completedAt), 0);
  return {
    input: { kind: 'read' },
    output: { seen: { balance, version, name } },
    invokedAt: end + 1,
    completedAt: Number.MAX_VALUE,
    about: [id],
  };
}

/** Whether the history of each is linearizable. */
export function judgeAccounts(
  accounts: readonly { id: string; initial: AccountState; calls: readonly AccountCall[] }[],
): Verdict {
  const violations: Evidence[] = [];
  let counted = 0;
  let undecided = 0;
  for (const { id, initial, calls } of accounts) {
    counted += calls.length;
    const answer = checkLinearizable(accountModel(initial), calls);
    if (answer.verdict === 'undecided') undecided += 1;
    if (answer.verdict !== 'not linearizable') continue;
    const { call, open, possible } = answer.failure;
    const states = possible.slice(0, 3).map((state) => JSON.stringify(state));
    violations.push({
      what:
        `No order of the operations on ${id} explains ${JSON.stringify(call.input)} with the answer ` +
        `${JSON.stringify(call.output)}; before it the state was ${states.join(' or ')}, and ${open.length} operations were open`,
      about: [id, ...(call as AccountCall).about],
    });
  }
  const short = undecided === 0 ? '' : `; undecided within the budget: ${undecided}`;
  return { counted: `${counted} operations on ${accounts.length} objects${short}`, violations };
}
