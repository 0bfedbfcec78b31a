import type { Evidence, Verdict } from '../../invariant.ts';
import { successes, type Judged } from './evidence.ts';

export const statement = 'Everything that was acknowledged exists: transfers, withdrawals, prints, payees';

export function check({ history, final }: Judged): Verdict {
  const stored: Record<string, ReadonlySet<string>> = {
    transfer: idsOf(final.transfers),
    withdraw: idsOf(final.withdrawals),
    print: idsOf(final.prints),
    payee: idsOf(final.payees),
  };
  const counted: string[] = [];
  const violations: Evidence[] = [];
  for (const [kind, ids] of Object.entries(stored)) {
    const acknowledged = successes<string | { id: string }>(history, kind);
    counted.push(`${acknowledged.length} ${kind}`);
    for (const { value, key, requestId, id: operation } of acknowledged) {
      const id = typeof value === 'string' ? value : value.id;
      if (ids.has(id)) continue;
      violations.push({
        what: `The ${kind} ${id} was acknowledged (operation ${operation}), but does not exist`,
        about: [id, key, requestId].filter((one) => one !== undefined),
      });
    }
  }
  return { counted: `acknowledgements: ${counted.join(', ')}`, violations };
}

function idsOf(rows: readonly { id: string }[]): ReadonlySet<string> {
  return new Set(rows.map(({ id }) => id));
}
