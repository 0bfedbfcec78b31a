import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PaymentsRepository, type PaymentRow } from '../../src/modules/payments/payments.repository.js';
import { newId, UniqueViolationError } from '../../src/platform/database/index.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

let db: TestDatabase;
let payments: PaymentsRepository;
let userId: string;

beforeAll(async () => {
  db = await openTestDatabase();
  payments = new PaymentsRepository(db.database);
  userId = newId();
  await db.database.execute({
    text: `INSERT INTO users (id, email, name, password_hash) VALUES ($1, 'ada@example.com', 'Ada', 'x')`,
    values: [userId],
  });
}, 60_000);

afterAll(() => db.close());

beforeEach(async () => {
  await db.database.execute({ text: 'TRUNCATE payments' });
});

async function addOrder(): Promise<string> {
  const id = newId();
  await db.database.execute({
    text: `INSERT INTO orders (id, user_id, status, item_count, total_amount, currency)
           VALUES ($1, $2, 'pending', 1, 4050, 'EUR')`,
    values: [id, userId],
  });
  return id;
}

async function addPayment(
  orderId?: string,
  { chargingMs = 60_000, checkAfterMs = 60_000 } = {},
): Promise<PaymentRow> {
  const payment = {
    id: newId(),
    orderId: orderId ?? (await addOrder()),
    userId,
    amount: 4050,
    currency: 'EUR',
    paymentMethod: 'pm_card_ok',
  };
  return payments.insert(payment, chargingMs, checkAfterMs);
}

const statusOf = async (id: string) => (await payments.findById(id))?.status;
const succeeded = { status: 'succeeded', chargeId: 'ch_1', settledBy: 'answer' } as const;
const declined = { status: 'declined', declineCode: 'card_declined', settledBy: 'answer' } as const;

describe('A payment', () => {
  it('is pending at first', async () => {
    const payment = await addPayment();

    expect(payment).toMatchObject({ status: 'pending', amount: 4050, currency: 'EUR', user_id: userId });
    expect(await payments.findById(payment.id)).toEqual(payment);
  });

  it('is settled by the first word on it and by no other', async () => {
    const { id } = await addPayment();
    const words = await Promise.all([
      payments.settle(id, succeeded),
      payments.settle(id, declined),
      payments.settle(id, succeeded),
    ]);

    expect(words.filter((row) => row !== undefined)).toHaveLength(1);
    expect(await statusOf(id)).toBe(words.find((row) => row)?.status);
  });

  it('can become unknown while it is pending, and is settled from there', async () => {
    const { id } = await addPayment();
    await payments.markUnknown(id);
    expect(await statusOf(id)).toBe('unknown');
    await payments.settle(id, declined);
    await payments.markUnknown(id);

    expect(await payments.findById(id)).toMatchObject({ status: 'declined', decline_code: 'card_declined' });
  });

  it('is the only one of its order, unless it was declined', async () => {
    const orderId = await addOrder();
    const first = await addPayment(orderId);
    for (const step of [() => Promise.resolve(), () => payments.markUnknown(first.id)]) {
      await step();
      await expect(addPayment(orderId)).rejects.toThrow(UniqueViolationError);
    }
    await payments.settle(first.id, declined);
    const second = await addPayment(orderId);
    await payments.settle(second.id, succeeded);

    await expect(addPayment(orderId)).rejects.toThrow('payments_one_live_per_order_idx');
  });

  it('can be taken back while nothing is known of it', async () => {
    const [pending, settled] = [await addPayment(), await addPayment()];
    await payments.settle(settled.id, succeeded);

    expect(await payments.deletePending(pending.id)).toBe(true);
    expect(await payments.deletePending(settled.id)).toBe(false);
    expect(await payments.findById(pending.id)).toBeUndefined();
  });
});

describe('The reconciliation', () => {
  it('claims what is due and not settled, oldest first, no more than it asked for', async () => {
    const due = [];
    for (const checkAfterMs of [-3000, -2000, -1000])
      due.push((await addPayment(undefined, { checkAfterMs })).id);
    const settled = await addPayment(undefined, { checkAfterMs: -4000 });
    await payments.settle(settled.id, succeeded);
    await addPayment();

    expect((await payments.claimDue(2, 60_000)).toSorted()).toEqual(due.slice(0, 2).toSorted());
    expect(await payments.claimDue(2, 60_000)).toEqual(due.slice(2));
    expect(await payments.claimDue(2, 60_000)).toEqual([]);
  });

  it('claims for one worker alone', async () => {
    for (let n = 0; n < 20; n++) await addPayment(undefined, { checkAfterMs: -1000 });
    const other = new PaymentsRepository((await db.anotherRoom()).database);
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? other : payments).claimDue(5, 60_000)),
    );

    expect(new Set(claims.flat()).size).toBe(20);
    expect(claims.flat()).toHaveLength(20);
  });

  it('takes a payment for never charged only when no request can charge it any more', async () => {
    const charging = await addPayment(undefined, { chargingMs: 60_000 });
    const over = await addPayment(undefined, { chargingMs: -10_000 });
    const settled = await addPayment(undefined, { chargingMs: -10_000 });
    await payments.settle(settled.id, succeeded);

    expect(await payments.lockOverdue(charging.id, 0)).toBe(false);
    expect(await payments.lockOverdue(over.id, 5000)).toBe(true);
    expect(await payments.lockOverdue(over.id, 60_000)).toBe(false);
    expect(await payments.lockOverdue(settled.id, 0)).toBe(false);
  });

  it('waits again when a request takes the payment up once more', async () => {
    const { id } = await addPayment(undefined, { chargingMs: -10_000 });
    expect(await payments.resume(id, 60_000)).toMatchObject({ id, status: 'pending' });

    expect(await payments.lockOverdue(id, 0)).toBe(false);
  });
});
