import type { Evidence, Verdict } from '../../invariant.ts';
import { amountOf, type Judged } from './evidence.ts';

export const statement =
  'Money is neither made nor lost: each balance is the opening one, plus what came in, less what went out and was paid out';

export function check({ final }: Pick<Judged, 'final'>): Verdict {
  const due = new Map(final.opening.map(({ id, opening }) => [id, opening]));
  const add = (id: string, amount: number): void => void due.set(id, (due.get(id) ?? 0) + amount);
  for (const transfer of final.transfers) {
    add(transfer.from, -amountOf(transfer));
    for (const { to, amount } of transfer.parts) add(to, amount);
  }
  for (const { accountId, amount, status } of final.withdrawals)
    if (status !== 'declined') add(accountId, -amount);
  const violations: Evidence[] = [];
  for (const { id, balance } of final.accounts)
    if (balance !== due.get(id))
      violations.push({
        what: `The balance of ${id} is ${balance}, and should be ${due.get(id)}`,
        about: [id],
      });
  const paid = sum(final.charges.filter(({ status }) => status === 'succeeded').map(({ amount }) => amount));
  const opening = sum(final.opening.map(({ opening: amount }) => amount));
  const present = sum(final.accounts.map(({ balance }) => balance));
  if (present + paid !== opening)
    violations.push({
      what: `There were ${opening} at first; now there are ${present}, and ${paid} were paid out: ${present + paid - opening} too many`,
      about: [],
    });
  return {
    counted: `${final.transfers.length} transfers between ${final.accounts.length} accounts`,
    violations,
  };
}

function sum(amounts: number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
