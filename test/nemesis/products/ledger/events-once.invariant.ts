import type { Evidence, Verdict } from '../../invariant.ts';
import { amountOf, type Judged } from './evidence.ts';

export const statement =
  'Every announced event has its effect once: one receipt and one mail for each transfer, one copy of each print; each payee is checked';

export function check({ final }: Pick<Judged, 'final'>): Verdict {
  const mails = new Set(final.mails);
  const violations: Evidence[] = [];
  for (const transfer of final.transfers) {
    const { id, events, receipts } = transfer;
    const wrong = receipts.length !== 1 || receipts[0] !== amountOf(transfer);
    if (wrong)
      violations.push({
        what: `The transfer ${id} of ${amountOf(transfer)} has the receipts [${receipts.join()}]`,
        about: [id, ...events],
      });
    for (const event of events)
      if (!mails.has(event))
        violations.push({ what: `There is no mail of event ${event} (transfer ${id})`, about: [event, id] });
  }
  const announced = new Set(final.transfers.flatMap(({ events }) => events));
  for (const mail of mails)
    if (!announced.has(mail))
      violations.push({ what: `There is a mail of ${mail}, which is no event`, about: [mail] });
  for (const { id, copies } of final.prints)
    if (copies !== 1) violations.push({ what: `The print ${id} was made ${copies} times`, about: [id] });
  // A plain job that ends with its process may run again: documented, unless it uses the inbox, as prints do.
  for (const { id, checks } of final.payees)
    if (checks < 1) violations.push({ what: `The payee ${id} was never checked`, about: [id] });
  return {
    counted: `${final.transfers.length} events, ${final.prints.length} prints, ${final.payees.length} payees`,
    violations,
  };
}
