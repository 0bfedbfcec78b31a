import { accountModel } from '../../checker/account-with-version.ts';
import { checkLinearizable } from '../../checker/linearizability.ts';
import type { Evidence, Verdict } from '../../invariant.ts';
import { callsOf, type AccountCall } from './account-calls.ts';
import type { Judged } from './evidence.ts';

export const statement =
  'The history of each account is linearizable: transfers, changes of the name with If-Match, and their answers';

export function check(judged: Judged): Verdict {
  const { opening, hot } = judged.final;
  const violations: Evidence[] = [];
  let counted = 0;
  let undecided = 0;
  for (const id of hot) {
    const { opening: balance, name } = opening.find((account) => account.id === id)!;
    const calls = callsOf(id, judged);
    counted += calls.length;
    const answer = checkLinearizable(accountModel({ balance, version: 1, name }), calls);
    if (answer.verdict === 'undecided') undecided += 1;
    if (answer.verdict !== 'not linearizable') continue;
    const { call, open, possible } = answer.failure;
    const states = possible.slice(0, 3).map((state) => JSON.stringify(state));
    violations.push({
      what:
        `No order of the operations on ${id} explains ${JSON.stringify(call.input)} with the answer ` +
        `${JSON.stringify(call.output)}; before it the account was ${states.join(' or ')}, and ${open.length} operations were open`,
      about: [id, ...(call as AccountCall).about],
    });
  }
  const short = undecided === 0 ? '' : `; undecided within the budget: ${undecided}`;
  return { counted: `${counted} operations on ${hot.length} accounts${short}`, violations };
}
