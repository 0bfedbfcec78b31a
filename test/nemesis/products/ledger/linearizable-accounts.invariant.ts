import { judgeAccounts } from '../../checker/judge-accounts.ts';
import type { Verdict } from '../../invariant.ts';
import { callsOf } from './account-calls.ts';
import type { Judged } from './evidence.ts';

export const statement =
  'The history of each account is linearizable: transfers, changes of the name with If-Match, and their answers';

export function check(judged: Judged): Verdict {
  const { opening, hot } = judged.final;
  return judgeAccounts(
    hot.map((id) => {
      const { opening: balance, name } = opening.find((account) => account.id === id)!;
      return { id, initial: { balance, version: 1, name }, calls: callsOf(id, judged) };
    }),
  );
}
