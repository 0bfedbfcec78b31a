import { describe, expect, it } from 'vitest';
import type { Operation } from '../../history.ts';
import { discoverInvariants } from '../../invariants/discover.ts';
import type { Verdict } from '../../invariant.ts';
import { operation } from '../ledger/small-history.ts';
import type { Judged } from './evidence.ts';
import type { Final } from './final.ts';

const OURS = await discoverInvariants<Final>(import.meta.dirname);
const judge = (name: string, judged: Judged): Verdict =>
  OURS.find((invariant) => invariant.name === name)!.check(judged as never) as Verdict;

const HOT_PRICE = 10_000_000;
const [PAID, CANCELLED] = ['order-1', 'order-2'];

/** Two orders of one product, of which one is paid and one cancelled; nothing went wrong. */
function smallHistory(): Judged {
  const seen = { version: 2, balance: 7, name: 'first', stale: false, process: 'api-1 7' };
  const order = (id: string, number: number, quantity: number, status: string, ...events: string[]) => {
    const total = quantity * HOT_PRICE + number;
    return { id, userId: 'me', status, total, product: 'p', quantity, events };
  };
  const placed = (key: string, id: string) => ({ key, status: 201, value: { id }, body: `{"id":"${id}"}` });
  const file = `orderId,userId\r\n${PAID},me\r\n`;
  return {
    history: [
      operation('order', 1, placed('k1', PAID)),
      operation('read-product', 5, { object: 'p', value: seen }),
      operation('export', 6, { object: 'me', value: 'e1' }),
      operation('order', 10, placed('k2', CANCELLED)),
      operation('order', 12, placed('k2', CANCELLED)),
      operation('forged-order', 14, { key: 'k2', outcome: 'refused', status: 422 }),
      operation('order', 16, { ...placed('k1', PAID), client: 'afterwards' }),
      operation('order', 18, { ...placed('k1', PAID), client: 'afterwards', at: 'api-2' }),
      operation('pay', 20, { key: 'k3', value: { id: 'payment-1' } }),
      operation('cancel', 30, { object: CANCELLED, value: { id: CANCELLED, status: 'cancelled' } }),
      operation('change', 40, {
        object: 'p',
        input: { name: 'second', version: 4 },
        value: { ...seen, version: 5, name: 'second' },
      }),
      operation('read-order', 50, { object: PAID }),
      operation('list-orders', 51, { object: 'me', input: { limit: 5 }, value: [CANCELLED, PAID] }),
      operation('download', 52, { object: 'e1', value: file }),
    ],
    final: {
      products: [{ id: 'p', name: 'second', stock: 7, version: 5 }],
      orders: [
        order(PAID, 1_001, 3, 'paid', 'order.placed', 'payment.succeeded'),
        order(CANCELLED, 1_002, 2, 'cancelled', 'order.placed', 'order.cancelled'),
      ],
      payments: [{ id: 'payment-1', orderId: PAID, status: 'succeeded', amount: 3 * HOT_PRICE + 1_001 }],
      charges: [
        {
          key: 'payment-1',
          amount: 3 * HOT_PRICE + 1_001,
          status: 'succeeded',
          reference: PAID,
          times: 1,
        },
      ],
      exports: [{ id: 'e1', userId: 'me', status: 'completed' }],
      records: [
        { key: 'k1', status: 201, body: `{"id":"${PAID}"}` },
        { key: 'k2', status: 201, body: `{"id":"${CANCELLED}"}` },
      ],
      toMail: ['m1', 'm2'],
      mails: ['m1', 'm2'],
      deadLetters: [],
      announced: 5,
      hot: [{ id: 'p', name: 'first', stock: 10 }],
      hotPrice: HOT_PRICE,
      writes: [
        { key: 'k1', kind: 'order', settled: true, product: 'p', quantity: 3, number: 1_001 },
        { key: 'k2', kind: 'order', settled: true, product: 'p', quantity: 2, number: 1_002 },
        { key: 'k3', kind: 'pay', settled: true },
      ],
      forbidden: [1_003],
      secrets: [],
    },
  };
}

/** How the small history can be broken, by the invariant that has to notice. */
const BROKEN: Record<string, Record<string, (judged: Judged) => void>> = {
  acknowledged: {
    'an order is lost': ({ final }) => void final.orders.shift(),
    'a payment is lost': ({ final }) => void final.payments.pop(),
    'an export is lost': ({ final }) => void final.exports.pop(),
    'a cancellation is lost': ({ final }) => void (final.orders[1]!.status = 'pending'),
  },
  'whole-or-absent': {
    'a key has two orders': ({ final }) => void final.orders.push({ ...final.orders[0]!, id: 'other' }),
    'an order has no recorded answer': ({ final }) => void final.records.shift(),
    'a recorded answer has no order': ({ final }) => void final.orders.shift(),
    'an order was not announced': ({ final }) => void (final.orders[0]!.events = []),
    'a refused order exists': ({ history }) => {
      for (const attempt of history)
        if (attempt.key === 'k2') Object.assign(attempt, { outcome: 'refused', status: 503 });
    },
    'another body became an order': ({ final }) => void final.forbidden.push(1_001),
    'another body was accepted': (judged) => add(judged, 'forged-order', { key: 'k1' }),
    'an order comes from nowhere': ({ final }) => void final.writes.shift(),
  },
  'stock-conserved': {
    'stock is lost': ({ final }) => void (final.products[0]!.stock = 6),
    'the stock of a cancelled order is not returned': ({ final }) => void (final.products[0]!.stock = 5),
  },
  'paid-once': {
    'an order is charged twice': ({ final }) =>
      void final.charges.push({ ...final.charges[0]!, key: 'payment-2' }),
    'an order that is not paid was charged': ({ final }) => void (final.orders[0]!.status = 'pending'),
    'a paid order was not charged': ({ final }) => void final.charges.pop(),
    'another amount was taken': ({ final }) => void (final.charges[0]!.amount = 1),
    'a payment is not as at the provider': ({ final }) => void (final.payments[0]!.status = 'declined'),
    'a payment was charged twice': ({ final }) => void (final.charges[0]!.times = 2),
  },
  'mailed-once': {
    'a mail is missing': ({ final }) => void final.mails.pop(),
    'a mail is about nothing': ({ final }) => void final.mails.push('unknown'),
    'an event was announced twice': ({ final }) => void final.orders[0]!.events.push('order.placed'),
    'a payment was not announced': ({ final }) => void final.orders[0]!.events.pop(),
  },
  'fresh-reads': {
    'an order is not found': (judged) =>
      add(judged, 'read-order', { object: PAID, outcome: 'refused', status: 404 }),
    'a list lacks an order': (judged) => change(judged, 'list-orders', { value: [PAID] }),
    'a list has an order twice': (judged) =>
      change(judged, 'list-orders', { value: [PAID, PAID, CANCELLED] }),
    'a file lacks an order': (judged) => change(judged, 'download', { value: 'orderId,userId\r\n' }),
    'a file ends within a line': (judged) =>
      change(judged, 'download', { value: `orderId,userId\r\n${PAID},me\r\n${CANCELLED}` }),
    'a file has an order of somebody else': ({ final }) => void (final.orders[0]!.userId = 'somebody'),
    'an export failed': ({ final }) => void (final.exports[0]!.status = 'failed'),
  },
  'works-again': {
    'an api takes no order': ({ history }) => {
      for (const attempt of history) if (attempt.at === 'api-2') Object.assign(attempt, { at: 'api-1' });
    },
    'a key has no answer': ({ final }) => void final.writes.push({ key: 'k9', kind: 'pay', settled: false }),
  },
  'cached-reads': {
    'a process goes back': (judged) =>
      add(judged, 'read-product', {
        object: 'p',
        value: { version: 2, balance: 7, name: 'first', stale: false, process: 'api-1 7' },
      }),
  },
  'linearizable-products': {
    'a change shows stock that was not there': (judged) =>
      change(judged, 'change', { value: { version: 5, balance: 8, name: 'second' } }),
    'an order took nothing': ({ final }) => void Object.assign(final.products[0]!, { stock: 10, version: 4 }),
    'a cancelled order gave back twice': ({ final }) =>
      void Object.assign(final.products[0]!, { stock: 9, version: 6 }),
  },
};

function add({ history }: Judged, kind: string, more: Partial<Operation>): void {
  (history as Operation[]).push(operation(kind, 80, more));
}

function change({ history }: Judged, kind: string, more: Partial<Operation>): void {
  Object.assign(
    history.find((one) => one.kind === kind)!,
    more,
  );
}

describe.each(OURS)('$name', ({ name }) => {
  it('holds, and has counted something, when nothing went wrong', () => {
    const { violations, counted } = judge(name, smallHistory());
    expect(violations).toEqual([]);
    expect(counted).toMatch(/[1-9]/);
  });

  it.each(Object.entries(BROKEN[name] ?? {}))('is broken when %s', (_, breakIt) => {
    const judged = smallHistory();
    breakIt(judged);
    expect(judge(name, judged).violations).not.toEqual([]);
  });

  it('has an example of how it is broken', () => {
    expect(BROKEN[name]).toBeDefined();
  });
});
