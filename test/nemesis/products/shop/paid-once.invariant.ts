import type { Evidence, Verdict } from '../../invariant.ts';
import type { Judged } from './evidence.ts';

export const statement =
  "The provider has taken the money of each paid order once, and of no other; each payment is what the provider's books say";

export function check({ final }: Pick<Judged, 'final'>): Verdict {
  const charges = new Map(final.charges.map((charge) => [charge.key, charge]));
  const taken = Map.groupBy(
    final.charges.filter(({ status }) => status === 'succeeded'),
    ({ reference }) => reference,
  );
  const violations: Evidence[] = [];
  const report = (what: string, ...about: string[]): void => void violations.push({ what, about });
  for (const { id, status, total } of final.orders) {
    const mine = taken.get(id) ?? [];
    if (mine.length > 1) report(`The order ${id} was charged ${mine.length} times`, id);
    if ((status === 'paid') !== mine.length > 0)
      report(`The order ${id} is ${status}, with ${mine.length} charges`, id);
    if (mine.some(({ amount }) => amount !== total))
      report(`Of the order ${id} another amount was taken`, id);
  }
  for (const { id, status, orderId } of final.payments) {
    // A payment that the provider does not know was never asked for.
    const atProvider = charges.get(id)?.status ?? 'declined';
    if (status !== atProvider)
      report(`The payment ${id} is ${status}, at the provider ${atProvider}`, id, orderId);
  }
  const known = new Set(final.payments.map(({ id }) => id));
  for (const { key, status, times } of final.charges) {
    if (status === 'succeeded' && !known.has(key)) report(`The charge ${key} belongs to no payment`, key);
    if (times > 1) report(`The payment ${key} was charged ${times} times`, key);
  }
  return { counted: `${final.payments.length} payments, ${final.charges.length} charges`, violations };
}
