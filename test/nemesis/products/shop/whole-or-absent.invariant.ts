import { attemptsByKey } from '../../invariants/attempts.ts';
import type { Evidence, Verdict } from '../../invariant.ts';
import { orderWrites, ordersByNumber, type Judged } from './evidence.ts';

export const statement =
  'A key has one order at most, whole or absent: row, event and recorded answer; a refused one is absent, and so is another body under a used key';

export function check({ history, final }: Judged): Verdict {
  const attempts = attemptsByKey(history);
  const records = new Map(final.records.map((record) => [record.key, record]));
  const orders = ordersByNumber(final);
  const writes = orderWrites(final);
  const violations: Evidence[] = [];
  const report = (what: string, ...about: string[]): void => void violations.push({ what, about });
  for (const { key, number } of writes) {
    const [order, ...more] = orders.get(number) ?? [];
    const record = records.get(key);
    const mine = attempts.get(key) ?? [];
    if (more.length > 0) report(`The key ${key} has ${more.length + 1} orders`, key);
    if (order && !record?.body?.includes(order.id))
      report(`No answer about the order ${order.id} is recorded`, key, order.id);
    if (!order && record?.status === 201) report(`An order is recorded for ${key}, but none exists`, key);
    const placed = order?.events.filter((name) => name === 'order.placed').length;
    if (order && placed !== 1) report(`The order ${order.id} was announced ${placed} times`, key, order.id);
    if (order && mine.length > 0 && mine.every(({ outcome }) => outcome === 'refused'))
      report(`Every attempt of ${key} was refused, and yet there is the order ${order.id}`, key, order.id);
  }
  for (const number of final.forbidden)
    for (const { id } of orders.get(number) ?? [])
      report(`Another body under a used key became the order ${id}`, id);
  for (const { kind, key, outcome } of history)
    if (kind === 'forged-order' && outcome === 'ok')
      report(`Another body under the key ${key} was accepted`, key!);
  const known = new Set([...writes.map(({ number }) => number), ...final.forbidden]);
  for (const [number, [order]] of orders)
    if (!known.has(number)) report(`Nobody has placed the order ${order!.id}`, order!.id);
  const repeated = [...attempts.values()].filter(({ length }) => length > 1).length;
  return { counted: `${writes.length} keys, ${repeated} of them sent more than once`, violations };
}
