import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HttpResponse } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';
import { expectUnavailable } from './expectations.ts';

/** Long enough for a bank that answers on a busy machine. */
const BANK_TIMEOUT_MS = 2500;

describe('an outside service, the bank that pays withdrawals,', () => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter({
      env: { BANK_TIMEOUT_MS: String(BANK_TIMEOUT_MS), BANK_SETTLE_AFTER_SECONDS: '1' },
    });
  });
  afterAll(() => counter?.close());
  beforeEach(async () => {
    await counter.stack.sandbox.setMood(null);
    // The circuit of the test before may still be open.
    await waitFor(async () => (await counter.withdraw('pm_card_ok')).status === 201, {
      every: 200,
      within: 60_000,
      what: 'a bank that answers',
    });
  });

  const statusOf = async ({ headers }: HttpResponse): Promise<string> =>
    (await counter.http.get<{ status: string }>(headers.get('location') ?? '')).body.status;

  const balanceOf = async (account: string): Promise<number> =>
    (await counter.http.get<{ balance: { amount: number } }>(`/v1/accounts/${account}`)).body.balance.amount;

  /** How often the bank has paid out from an account, by its books. */
  const paidOut = async (account: string): Promise<number> =>
    (await counter.stack.sandbox.summary()).succeededByReference[account] ?? 0;

  it('pays and then drops the connection: 202, settled as at the bank, paid once', async () => {
    const account = counter.accounts[40]!;
    const withdrawal = await counter.withdraw('pm_card_charged_then_dropped', { account });
    expect(withdrawal.status).toBe(202);
    expect(withdrawal.body.status).toBe('unknown');
    await waitFor(async () => (await statusOf(withdrawal)) === 'succeeded', {
      what: 'reconciliation',
    });
    expect(await paidOut(account)).toBe(1);
  });

  it('hangs: 202 within its timeout, then fast 503 while the circuit is open; writes and reads continue', async () => {
    const hung = await counter.withdraw('pm_card_hang');
    expect(hung.status).toBe(202);
    expect(hung.durationMs).toBeLessThan(4 * BANK_TIMEOUT_MS);
    const withdrawAnother = () => counter.withdraw('pm_card_hang');
    const refused = await waitFor(
      async () => {
        const answers = await Promise.all([withdrawAnother(), withdrawAnother(), withdrawAnother()]);
        return answers.find(({ status }) => status === 503);
      },
      { within: 60_000, what: 'an open circuit' },
    );
    // Without waiting for the bank.
    expectUnavailable(refused, BANK_TIMEOUT_MS);
    const transfer = await counter.transfer();
    expect(transfer.status).toBe(201);
    expect(transfer.durationMs).toBeLessThan(BANK_TIMEOUT_MS);
    expect((await counter.http.get('/v1/transfers')).status).toBe(200);
    const ready = await counter.ready();
    expect(ready.status).toBe(200);
    const { text } = await counter.api.management.get('/metrics');
    expect(text).toMatch(/dependency_circuit_state\{dependency="bank"\} [12]/);
  });

  it('fails: nothing is paid twice, and every withdrawal is settled eventually', async () => {
    const account = counter.accounts[41]!;
    const before = await balanceOf(account);
    const failed = await counter.withdraw('pm_card_error', { account });
    expect([202, 503]).toContain(failed.status);
    await waitFor(async () => failed.status === 503 || (await statusOf(failed)) === 'declined', {
      every: 500,
      within: 60_000,
      what: 'a settled withdrawal',
    });
    await waitFor(async () => (await counter.withdraw('pm_card_ok', { account })).status === 201, {
      every: 500,
      within: 60_000,
      what: 'a withdrawal from the same account',
    });
    expect(await paidOut(account)).toBe(1);
    await waitFor(async () => (await balanceOf(account)) === before - 100, { what: 'the balance' });
  });

  it('is down: 503 at once because nothing was attempted, and used again when it is back', async () => {
    const account = counter.accounts[42]!;
    const before = await balanceOf(account);
    await counter.stack.sandbox.kill();
    const refused = await counter.withdraw('pm_card_ok', { account });
    expectUnavailable(refused);
    expect(await balanceOf(account)).toBe(before);
    await counter.stack.sandbox.restart();
    await waitFor(async () => (await counter.withdraw('pm_card_ok', { account })).status === 201, {
      every: 200,
      within: 60_000,
      what: 'a withdrawal',
    });
  });
});
