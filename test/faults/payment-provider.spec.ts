import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';
import { expectUnavailable } from './expectations.ts';

describe('the payment provider', () => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter({
      env: { PAYMENT_PROVIDER_TIMEOUT_MS: '800', PAYMENT_RECONCILE_AFTER_SECONDS: '1' },
    });
  });
  afterAll(() => counter?.close());
  beforeEach(async () => {
    await counter.stack.sandbox.setMood(null);
    await counter.stack.sandbox.setWebhooks(true);
    // The circuit of the test before may still be open.
    await waitFor(
      async () => (await counter.pay((await counter.order()).body.id, 'pm_card_ok')).status === 201,
      { every: 200, what: 'a provider that answers' },
    );
  });

  async function statusOf(orderId: string): Promise<string> {
    return (await counter.http.get<{ status: string }>(`/v1/orders/${orderId}`)).body.status;
  }

  it('charges and then drops the connection: 202, and settled to its truth, charged once', async () => {
    await counter.stack.sandbox.setWebhooks(false);
    const { body: order } = await counter.order();
    const payment = await counter.pay(order.id, 'pm_card_charged_then_dropped');
    expect(payment.status).toBe(202);
    expect(payment.body.status).toBe('unknown');
    await waitFor(async () => (await statusOf(order.id)) === 'paid', {
      within: 30_000,
      what: 'reconciliation',
    });
    const { succeededByReference } = await counter.stack.sandbox.summary();
    expect(succeededByReference[order.id]).toBe(1);
  });

  it('hangs: 202 within its timeout, then 503 fast while the circuit is open; orders and reads go on', async () => {
    const hung = await counter.pay((await counter.order()).body.id, 'pm_card_hang');
    expect(hung.status).toBe(202);
    expect(hung.durationMs).toBeLessThan(2500);
    const opened = Date.now();
    const payAnother = async () => counter.pay((await counter.order()).body.id, 'pm_card_hang');
    const refused = await waitFor(
      async () => {
        const answers = await Promise.all([payAnother(), payAnother(), payAnother()]);
        return answers.find(({ status }) => status === 503);
      },
      { within: 10_000, what: 'an open circuit' },
    );
    expectUnavailable(refused, 500);
    expect(Date.now() - opened).toBeLessThan(10_000);
    const order = await counter.order();
    expect(order.status).toBe(201);
    expect(order.durationMs).toBeLessThan(1000);
    expect((await counter.http.get('/v1/orders')).status).toBe(200);
    const ready = await counter.ready();
    expect(ready.status).toBe(200);
    const { text } = await counter.api.management.get('/metrics');
    expect(text).toMatch(/dependency_circuit_state\{dependency="payment-provider"\} [12]/);
  });

  it('fails: nothing is charged twice, and every payment is settled in the end', async () => {
    const { body: order } = await counter.order();
    const failed = await counter.pay(order.id, 'pm_card_error');
    expect([202, 503]).toContain(failed.status);
    await waitFor(
      async () => {
        const again = await counter.pay(order.id, 'pm_card_ok');
        return again.status === 201 || (await statusOf(order.id)) === 'paid';
      },
      { within: 45_000, every: 500, what: 'a payment of the same order' },
    );
    const { succeededByReference } = await counter.stack.sandbox.summary();
    expect(succeededByReference[order.id]).toBe(1);
  });

  it('is down: refused at once as nothing was tried, and the order can be paid when it is back', async () => {
    await counter.stack.sandbox.kill();
    const { body: order } = await counter.order();
    const refused = await counter.pay(order.id, 'pm_card_ok');
    expectUnavailable(refused);
    await counter.stack.sandbox.restart();
    await waitFor(async () => (await counter.pay(order.id, 'pm_card_ok')).status === 201, {
      every: 200,
      what: 'a payment',
    });
  });
});
