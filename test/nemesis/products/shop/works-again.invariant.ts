import { attemptsByKey, isKept } from '../../invariants/attempts.ts';
import type { Evidence, Verdict } from '../../invariant.ts';
import { APIS } from '../../rig.ts';
import { AFTERWARDS } from './afterwards.ts';
import type { Judged } from './evidence.ts';

export const statement =
  'When everything is whole again every api takes orders, and every key gets its answer';

export function check({ history, final }: Judged): Verdict {
  const violations: Evidence[] = [];
  const orders = history.filter(({ client, kind }) => client === AFTERWARDS && kind === 'order');
  for (const at of APIS)
    if (!orders.some((order) => order.at === at && isKept(order)))
      violations.push({ what: `${at} never took an order after everything was whole again`, about: [] });
  const attempts = attemptsByKey(history);
  for (const { key, settled } of final.writes)
    if (!settled && !(attempts.get(key) ?? []).some(isKept))
      violations.push({ what: `The key ${key} never got an answer`, about: [key] });
  return { counted: `${orders.length} orders afterwards, ${final.writes.length} keys`, violations };
}
