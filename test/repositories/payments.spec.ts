import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PaymentsRepository, type PaymentRow } from '../../src/modules/payments/payments.repository.js';
import { newId, UniqueViolationError } from '../../src/platform/database/index.js';
import { waitFor } from '../../local/wait-for.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { newUserRow } from '../factories/users.ts';

let db: TestDatabase;
let payments: PaymentsRepository;
let userId: string;

beforeAll(async () => {
  db = await openTestDatabase();
  payments = new PaymentsRepository(db.database);
  userId = await newUserRow(db.database);
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

    expect(payment).toMatchObject({ status: 'pending', amount: 4050, currency: 'EUR', userId });
    expect(await payments.findById(payment.id)).toEqual(payment);
  });

  it('is settled by the first outcome and by no later one', async () => {
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

    expect(await payments.findById(id)).toMatchObject({ status: 'declined', declineCode: 'card_declined' });
  });

  it('is the only one of its order, except declined ones', async () => {
    const orderId = await addOrder();
    const first = await addPayment(orderId);
    for (const step of [() => Promise.resolve(), () => payments.markUnknown(first.id)]) {
      await step();
      await expect(addPayment(orderId)).rejects.toThrow(UniqueViolationError);
    }
    await payments.settle(first.id, declined);
    const second = await addPayment(orderId);
    await payments.settle(second.id, succeeded);

    await expect(addPayment(orderId)).rejects.toMatchObject({
      constraint: 'payments_one_live_per_order_idx',
    });
  });

  it('can be deleted while nothing is known of it', async () => {
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

    expect((await claim(2)).toSorted()).toEqual(due.slice(0, 2).toSorted());
    expect(await claim(2)).toEqual(due.slice(2));
    expect(await claim(2)).toEqual([]);
  });

  it('claims for one worker alone', async () => {
    for (let n = 0; n < 20; n++) await addPayment(undefined, { checkAfterMs: -1000 });
    const other = new PaymentsRepository((await db.anotherRoom()).database);
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? other : payments).claimDue(5, 60_000)),
    );

    expect(new Set(claims.flat().map(({ id }) => id)).size).toBe(20);
    expect(claims.flat()).toHaveLength(20);
  });

  it('counts a payment as never charged only if no request could charge it when it was claimed', async () => {
    await addPayment(undefined, { chargingMs: 60_000, checkAfterMs: -1000 });
    const over = await addPayment(undefined, { chargingMs: -10_000, checkAfterMs: -1000 });

    const overdue = async (graceMs: number) => {
      await db.database.execute({ text: `UPDATE payments SET next_check_at = now() - interval '1 second'` });
      const claimed = await payments.claimDue(10, graceMs);
      return claimed.filter((payment) => payment.overdue).map(({ id }) => id);
    };
    expect(await overdue(5000)).toEqual([over.id]);
    expect(await overdue(60_000)).toEqual([]);
  });

  it('waits again when a request resumes or settles the payment while the provider is asked', async () => {
    for (const change of [
      (id: string) => payments.resume(id, -20_000),
      (id: string) => payments.settle(id, succeeded),
    ]) {
      const { id } = await addPayment(undefined, { chargingMs: -10_000, checkAfterMs: -1000 });
      const [claimed] = await payments.claimDue(1, 0);
      expect(await payments.lockUnchanged(claimed!)).toBe(true);
      await change(id);

      expect(await payments.lockUnchanged(claimed!)).toBe(false);
    }
  });

  it('asks about an undecided payment less and less often, up to a limit', async () => {
    const { id } = await addPayment(undefined, { checkAfterMs: -1000 });
    // In one transaction each: its time stands still.
    const waitAt = async (age: string): Promise<number> =>
      db.unitOfWork.run(async () => {
        await db.database.execute({
          text: `UPDATE payments SET next_check_at = now() - interval '1 second', created_at = now() - $1::interval`,
          values: [age],
        });
        const [claimed] = await payments.claimDue(1, 5000);
        await payments.postpone(claimed!, 600_000);
        const [row] = await db.database.query<{ wait: number }>({
          text: 'SELECT extract(epoch FROM next_check_at - now())::float8 AS wait FROM payments WHERE id = $1',
          values: [id],
        });
        return Math.round(row!.wait);
      });
    expect([await waitAt('1 second'), await waitAt('2 minutes'), await waitAt('1 day')]).toEqual([
      5, 60, 600,
    ]);
  });

  it('does not change a payment that another one has claimed since', async () => {
    await addPayment(undefined, { checkAfterMs: -1000 });
    const frozen = await payments.claimDue(1, 0);
    const [current] = await waitFor(async () => {
      const claimed = await payments.claimDue(1, 60_000);
      return claimed.length > 0 && claimed;
    });
    await payments.handBack(frozen);
    await payments.postpone(frozen[0]!, 0);
    expect(await claim(1)).toEqual([]);

    await payments.handBack([current!]);
    // The column has milliseconds: rounded up, the moment of the release is still to come.
    const again = await waitFor(async () => (await claim(1))[0]);
    expect(again).toBe(current?.id);
  });
});

async function claim(limit: number): Promise<string[]> {
  return (await payments.claimDue(limit, 60_000)).map(({ id }) => id);
}
