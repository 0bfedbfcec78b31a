import type { Evidence, Verdict } from '../../invariant.ts';
import { aboutWrite, amountOf, effectsByAmount, type Judged } from './evidence.ts';

export const statement =
  'A key has one effect at most, however often it was sent, and another body under a used key has none';

export function check({ history, final }: Judged): Verdict {
  const transfers = effectsByAmount(final.transfers, amountOf);
  const withdrawals = effectsByAmount(final.withdrawals, ({ amount }) => amount);
  const charges = effectsByAmount(final.charges, ({ amount }) => amount);
  const violations: Evidence[] = [];
  const repeated = Map.groupBy(history, ({ key }) => key);
  repeated.delete(undefined);
  for (const write of final.writes) {
    const stored = (write.kind === 'transfer' ? transfers : withdrawals).get(write.amount) ?? [];
    if (stored.length > 1)
      violations.push(
        aboutWrite(
          `The key ${write.key} has had ${stored.length} effects`,
          write,
          ...stored.map(({ id }) => id),
        ),
      );
    const paid = charges.get(write.amount) ?? [];
    if (paid.length > 1)
      violations.push(
        aboutWrite(
          `The bank has ${paid.length} payments for the key ${write.key}`,
          write,
          ...paid.map(({ key }) => key),
        ),
      );
  }
  for (const amount of final.forbidden) {
    const effects = [...(transfers.get(amount) ?? []), ...(withdrawals.get(amount) ?? [])];
    for (const { id } of effects)
      violations.push({ what: `Another body under a used key had an effect: ${id}`, about: [id] });
  }
  for (const { id, kind, key, outcome, status, requestId } of history) {
    if (!kind.startsWith('forged-') || outcome !== 'ok') continue;
    violations.push({
      what: `Another body under the used key ${key} was answered ${status} (operation ${id})`,
      about: [key, requestId].filter((one) => one !== undefined),
    });
  }
  const many = [...repeated.values()].filter(({ length }) => length > 1).length;
  return {
    counted: `${final.writes.length} keys, ${many} of them sent more than once, ${final.forbidden.length} with another body`,
    violations,
  };
}
