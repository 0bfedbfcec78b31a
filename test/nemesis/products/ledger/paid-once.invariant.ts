import type { Evidence, Verdict } from '../../invariant.ts';
import type { Judged } from './evidence.ts';

export const statement = 'The bank has paid exactly what the withdrawals say, each one once';

export function check({ final }: Pick<Judged, 'final'>): Verdict {
  const charges = new Map(final.charges.map((charge) => [charge.key, charge]));
  const violations: Evidence[] = [];
  for (const { id, accountId, amount, status } of final.withdrawals) {
    const charge = charges.get(id);
    // A withdrawal that the bank does not know was never asked for.
    const atBank = charge?.status ?? 'declined';
    if (status !== atBank)
      violations.push({
        what: `The withdrawal ${id} is ${status}, at the bank ${atBank}`,
        about: [id, accountId],
      });
    if (charge && (charge.amount !== amount || charge.reference !== accountId))
      violations.push({
        what: `The bank has paid something else for the withdrawal ${id}`,
        about: [id, accountId],
      });
  }
  const known = new Set(final.withdrawals.map(({ id }) => id));
  for (const { key, status, times } of final.charges) {
    if (status === 'succeeded' && !known.has(key))
      violations.push({ what: `The bank has paid ${key}, which is no withdrawal`, about: [key] });
    if (times > 1) violations.push({ what: `The bank has paid ${key} ${times} times`, about: [key] });
  }
  return { counted: `${final.withdrawals.length} withdrawals, ${final.charges.length} charges`, violations };
}
