import type { Verdict } from '../../invariant.ts';
import type { Judged } from './evidence.ts';

export const statement =
  'Each event about an order or a payment is announced once, and its mail is there once';

const ONCE: Record<string, readonly string[]> = {
  pending: ['order.placed'],
  cancelled: ['order.cancelled', 'order.placed'],
  paid: ['order.placed', 'payment.succeeded'],
};

export function check({ final }: Pick<Judged, 'final'>): Verdict {
  const mails = new Set(final.mails);
  const events = new Set(final.toMail);
  const wrong = final.orders.filter(({ status, events: names }) => {
    const announced = names.filter((name) => name !== 'payment.declined').toSorted();
    return announced.join() !== (ONCE[status] ?? []).join();
  });
  return {
    counted: `${final.toMail.length} events, ${final.mails.length} mails`,
    violations: [
      ...final.toMail
        .filter((id) => !mails.has(id))
        .map((id) => ({ what: `There is no mail of event ${id}`, about: [id] })),
      ...final.mails
        .filter((id) => !events.has(id))
        .map((id) => ({ what: `There is a mail of ${id}, which is no event`, about: [id] })),
      ...wrong.map(({ id, status, events: names }) => ({
        what: `The ${status} order ${id} has the events ${names.join()}`,
        about: [id],
      })),
    ],
  };
}
