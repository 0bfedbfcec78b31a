import { successes } from '../../invariants/attempts.ts';
import type { Evidence, Verdict } from '../../invariant.ts';
import type { Judged } from './evidence.ts';

export const statement =
  'Everything that was acknowledged exists: orders, payments, exports; what was cancelled is';

export function check({ history, final }: Judged): Verdict {
  const stored = {
    order: new Set(final.orders.map(({ id }) => id)),
    pay: new Set(final.payments.map(({ id }) => id)),
    export: new Set(final.exports.map(({ id }) => id)),
    cancel: new Set(final.orders.filter(({ status }) => status === 'cancelled').map(({ id }) => id)),
  };
  const counted: string[] = [];
  const violations: Evidence[] = [];
  for (const [kind, ids] of Object.entries(stored)) {
    const acknowledged = successes<string | { id: string }>(history, kind);
    counted.push(`${acknowledged.length} ${kind}`);
    for (const { value, key, requestId } of acknowledged) {
      const id = typeof value === 'string' ? value : value.id;
      const about = [id, key, requestId].filter((one) => one !== undefined);
      if (!ids.has(id))
        violations.push({ what: `The ${kind} ${id} was acknowledged, but is not there`, about });
    }
  }
  return { counted: `acknowledgements: ${counted.join(', ')}`, violations };
}
