import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.js';
import { UnitOfWork } from '../../src/platform/database/index.js';
import { WithdrawalsService } from './ledger/withdrawals.service.js';
import { startLedger, type LedgerUnderTest } from './ledger-under-test.js';
import { newAccount } from '../factories/accounts.js';
import { newUser, type TestUser } from '../factories/users.js';
import { withKey } from '../factories/keys.js';

interface Account {
  id: string;
  name: string;
  balance: { amount: number; currency: string };
}

let ledger: LedgerUnderTest;
let ada: TestUser;
let eve: TestUser;

beforeAll(async () => {
  ledger = await startLedger({ BANK_TIMEOUT_MS: '20000', BANK_SETTLE_AFTER_SECONDS: '3600' });
  [ada, eve] = await Promise.all([newUser(ledger), newUser(ledger)]);
});

afterAll(() => ledger?.stop());

const balanceOf = async (id: string) =>
  (await ledger.http.get<Account>(`/v1/accounts/${id}`)).body.balance.amount;
const transfer = (owner: TestUser, from: string, parts: { to: string; amount: number }[], key?: string) =>
  owner.http.post<{ id: string }>('/v1/transfers', { from, parts }, withKey(key));
const withdraw = (account: string, amount: number, method: string) =>
  ada.http.post<{ id: string; status: string }>(
    `/v1/accounts/${account}/withdrawals`,
    { amount, method },
    withKey(),
  );
const receiptsOf = (transferId: string) =>
  ledger.database.query({ text: 'SELECT amount FROM receipts WHERE transfer_id = $1', values: [transferId] });

describe('an account', () => {
  it('is public, cached, and not sent again when unchanged', async () => {
    const id = await newAccount(ada, 500);
    const first = await ledger.http.get<Account>(`/v1/accounts/${id}`);
    expect(first.body).toMatchObject({ id, name: 'Savings', balance: { amount: 500, currency: 'EUR' } });
    const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
    expect((await ledger.http.get(`/v1/accounts/${id}`, { headers })).status).toBe(304);
    expect((await ledger.http.get<{ data: Account[] }>('/v1/accounts?limit=1')).body.data[0]?.id).toBe(id);
  });

  it('is changed only by its owner, with its version', async () => {
    const id = await newAccount(ada);
    const change = (owner: TestUser, headers = {}) =>
      owner.http.patch<Account>(`/v1/accounts/${id}`, { name: 'Travel' }, { headers });
    expect((await change(ada)).status).toBe(428);
    expect((await change(ada, { 'if-match': '"a7"' })).status).toBe(412);
    expect((await change(eve, { 'if-match': '"a1"' })).status).toBe(404);
    expect((await change(ada, { 'if-match': '"a1"' })).body.name).toBe('Travel');
  });
});

describe('a transfer', () => {
  it('moves money once, also when repeated, and causes one receipt', async () => {
    const [from, to] = [await newAccount(ada, 100), await newAccount(eve, 0)];
    const first = await transfer(ada, from, [{ to, amount: 30 }], 'a-transfer');
    const again = await transfer(ada, from, [{ to, amount: 30 }], 'a-transfer');
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([
      201,
      201,
      'true',
    ]);
    expect(again.text).toBe(first.text);
    expect([await balanceOf(from), await balanceOf(to)]).toEqual([70, 30]);

    await ledger.startWorker();
    const { id } = first.body;
    await waitFor(async () => (await receiptsOf(id)).length > 0, { what: 'a receipt' });
    expect(await receiptsOf(id)).toEqual([{ amount: 30 }]);
    expect((await ada.http.get(`/v1/transfers/${id}`)).body).toEqual(first.body);
    expect((await eve.http.get(`/v1/transfers/${id}`)).status).toBe(404);
  });

  it('of too much, or to an unknown account, changes nothing', async () => {
    const [from, to] = [await newAccount(ada, 100), await newAccount(eve, 0)];
    const refused = await transfer(ada, from, [
      { to, amount: 60 },
      { to, amount: 60 },
    ]);
    expect(refused.body).toMatchObject({ status: 409, code: 'insufficient-funds', available: 100 });
    const nobody = await transfer(ada, from, [{ to: '019aa000-0000-7000-8000-000000000000', amount: 1 }]);
    expect(nobody.body).toMatchObject({ status: 422, code: 'unknown-account' });
    expect((await transfer(eve, from, [{ to, amount: 1 }])).status).toBe(404);
    expect([await balanceOf(from), await balanceOf(to)]).toEqual([100, 0]);
  });

  it('is listed in the statement of its account', async () => {
    const [from, to] = [await newAccount(ada, 100), await newAccount(eve, 0)];
    const ids = [];
    for (const amount of [10, 20]) ids.push((await transfer(ada, from, [{ to, amount }])).body.id);
    const { text } = await ada.http.get(`/v1/accounts/${from}/statement`);
    expect(text).toBe(`transfer,amount\r\n${ids[0]},10\r\n${ids[1]},20\r\n`);
    expect((await eve.http.get(`/v1/accounts/${from}/statement`)).status).toBe(404);
  });
});

describe('a withdrawal', () => {
  it('takes the money when the bank pays, and gives it back when it declines', async () => {
    const account = await newAccount(ada, 100);
    expect(await withdraw(account, 40, 'pm_card_ok')).toMatchObject({
      status: 201,
      body: { status: 'succeeded' },
    });
    expect((await withdraw(account, 40, 'pm_card_declined')).status).toBe(402);
    expect((await withdraw(account, 40, 'pm_card_unknown')).status).toBe(422);
    expect(await balanceOf(account)).toBe(60);
  });

  it('that was settled while its process stood still keeps its key', async () => {
    const account = await newAccount(ada, 100);
    const service = ledger.api.get(WithdrawalsService, { strict: false });
    const unitOfWork = ledger.api.get(UnitOfWork);
    const work = service.withdrawal(ada.userId, account, { amount: 40, method: 'pm_card_ok' });
    const started = await unitOfWork.run(() => work.begin(undefined));
    await unitOfWork.run(() => work.finish(started, 'declined'));
    expect(await unitOfWork.run(() => work.abandon(started))).toBe(false);
    expect(await balanceOf(account)).toBe(100);
  });

  it('without an answer of the bank is settled by the job, as at the bank', async () => {
    const account = await newAccount(ada, 100);
    const [paid, never] = [
      await withdraw(account, 40, 'pm_card_charged_then_dropped'),
      await withdraw(account, 40, 'pm_card_error'),
    ];
    expect([paid.status, never.status]).toEqual([202, 202]);
    expect(await balanceOf(account)).toBe(20);
    await ledger.startWorker();
    await ledger.database.execute({ text: 'UPDATE withdrawals SET settle_at = now()' });
    const statusOf = async ({ headers }: { headers: Headers }) =>
      (await ada.http.get<{ status: string }>(headers.get('location') ?? '')).body.status;
    await waitFor(async () => (await statusOf(never)) === 'declined', {
      within: 60_000,
      what: 'a withdrawal that was not paid',
    });
    await waitFor(async () => (await statusOf(paid)) === 'succeeded', { what: 'a withdrawal that was paid' });
    // Another process has given it back: the api trusts its own copy for a while.
    await waitFor(async () => (await balanceOf(account)) === 60, { what: 'the balance' });
  });
});

describe('a print', () => {
  it('is made once, by a plain job', async () => {
    const account = await newAccount(ada);
    const ordered = await ada.http.post<{ id: string }>(`/v1/accounts/${account}/prints`);
    const path = `/v1/accounts/${account}/prints/${ordered.body.id}`;
    expect(ordered).toMatchObject({ status: 202, body: { accountId: account, copies: 0 } });
    expect((await eve.http.get(path)).status).toBe(404);
    await ledger.startWorker();
    await waitFor(async () => (await ada.http.get<{ copies: number }>(path)).body.copies === 1, {
      within: 30_000,
      what: 'the print',
    });
  });
});
