import type { Evidence, Verdict } from '../../invariant.ts';
import { aboutWrite, amountOf, attemptsByKey, effectsByAmount, type Judged } from './evidence.ts';

export const statement =
  'A write that was refused or never answered is whole or absent: its row, its event and its recorded answer; a refused one is absent';

export function check({ history, final }: Judged): Verdict {
  const attempts = attemptsByKey(history);
  const records = new Map(final.records.map((record) => [record.key, record]));
  const transfers = effectsByAmount(final.transfers, amountOf);
  const withdrawals = effectsByAmount(final.withdrawals, ({ amount }) => amount);
  const charges = effectsByAmount(
    final.charges.filter(({ status }) => status === 'succeeded'),
    ({ amount }) => amount,
  );
  const violations: Evidence[] = [];
  let open = 0;
  for (const write of final.writes) {
    const { key, kind, amount } = write;
    const mine = attempts.get(key) ?? [];
    if (mine.some(({ outcome }) => outcome !== 'ok')) open += 1;
    const row = (kind === 'transfer' ? transfers : withdrawals).get(amount)?.[0];
    const record = records.get(key);
    const succeeded = record?.status !== undefined && record.status !== null && record.status < 300;
    if (row && !record)
      violations.push(
        aboutWrite(`The ${kind} ${row.id} exists, but no answer is recorded for ${key}`, write, row.id),
      );
    if (!row && succeeded)
      violations.push(
        aboutWrite(`An answer ${record.status} is recorded for ${key}, but no ${kind} exists`, write),
      );
    if (row && record?.body && !record.body.includes(row.id))
      violations.push(
        aboutWrite(`The answer recorded for ${key} does not name ${kind} ${row.id}`, write, row.id),
      );
    if (row && kind === 'transfer' && transfers.get(amount)![0]!.events.length !== 1)
      violations.push(
        aboutWrite(
          `The transfer ${row.id} has ${transfers.get(amount)![0]!.events.length} events`,
          write,
          row.id,
        ),
      );
    const refused =
      mine.length > 0 && mine.every(({ outcome, status }) => outcome === 'refused' && status !== 402);
    if (refused && (row || charges.has(amount)))
      violations.push(aboutWrite(`Every attempt of ${key} was refused, and yet it took effect`, write));
  }
  const known = new Set(final.writes.map(({ amount }) => amount));
  for (const transfer of final.transfers)
    if (!known.has(amountOf(transfer)))
      violations.push({ what: `Nobody has asked for the transfer ${transfer.id}`, about: [transfer.id] });
  return {
    counted: `${final.writes.length} writes, ${open} of them refused or unanswered at least once`,
    violations,
  };
}
