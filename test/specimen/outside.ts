/** The ledger from outside: all that tests of processes, verify and bench know of its settings, routes, bodies and rows. */
import type { Environment } from '../../local/processes.ts';
import { bearing, type RequestTemplate } from '../../local/requests.ts';

/** Rows of a statement. */
export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;

/** Its settings on a stack: the payment sandbox is its bank. */
export function ledgerSettings({ PAYMENT_PROVIDER_URL, PAYMENT_PROVIDER_API_KEY }: Environment): Environment {
  return { BANK_URL: PAYMENT_PROVIDER_URL, BANK_API_KEY: PAYMENT_PROVIDER_API_KEY };
}

export const LOGIN = '/v1/auth/login';
export const REGISTER = '/v1/auth/register';
export const ACCOUNTS = '/v1/accounts';
export const TRANSFERS = '/v1/transfers';

export function newAccount(name: string, amount: number): object {
  return { name, balance: { amount, currency: 'EUR' } };
}

export function newTransfer(from: string, to: string): object {
  return { from, parts: [{ to, amount: 1 }] };
}

export function transferring(token: string, from: string, to: string): RequestTemplate {
  const body = newTransfer(from, to);
  return { method: 'POST', path: TRANSFERS, headers: bearing(token), body, idempotencyKey: true };
}

export function reading(token: string, transferId: string): RequestTemplate {
  return { method: 'GET', path: `${TRANSFERS}/${transferId}`, headers: bearing(token) };
}

/** @param query such as `?limit=20` */
export function listing(token: string, query = ''): RequestTemplate {
  return { method: 'GET', path: `${TRANSFERS}${query}`, headers: bearing(token) };
}

/** A cached read, by anybody. */
export function browsing(accountId: string): RequestTemplate {
  return { method: 'GET', path: `${ACCOUNTS}/${accountId}` };
}

export function withdrawing(token: string, accountId: string, method: string, key: string): RequestTemplate {
  return {
    method: 'POST',
    path: `${ACCOUNTS}/${accountId}/withdrawals`,
    headers: bearing(token),
    body: { amount: 1, method },
    idempotencyKey: key,
  };
}

/** Opens accounts that only receive and are read. @returns their ids */
export async function openAccounts(query: Query, howMany: number, balance: number): Promise<string[]> {
  const opened = await query<{ id: string }>(
    `INSERT INTO accounts (id, owner_id, name, balance, currency)
     SELECT uuidv7(), uuidv7(), 'Account ' || n, $1, 'EUR' FROM generate_series(1, $2::int) AS n RETURNING id`,
    [balance, howMany],
  );
  return opened.map(({ id }) => id);
}

/** Transfers of these owners, by id. */
export async function transfersOf(query: Query, ownerIds: string[]): Promise<Set<string>> {
  const text = 'SELECT id FROM transfers WHERE owner_id = ANY ($1)';
  const rows = await query<{ id: string }>(text, [ownerIds]);
  return new Set(rows.map(({ id }) => id));
}

/** Events announced for these owners. */
export function eventsOf(
  query: Query,
  ownerIds: string[],
): Promise<{ id: string; name: string; transferId: string }[]> {
  return query(
    `SELECT id, name, payload->>'transferId' AS "transferId" FROM outbox_events WHERE payload->>'ownerId' = ANY ($1)`,
    [ownerIds],
  );
}

export interface Withdrawal {
  id: string;
  accountId: string;
  amount: number;
  status: string;
}

/** Withdrawals of these owners. */
export function withdrawalsOf(query: Query, ownerIds: string[]): Promise<Withdrawal[]> {
  return query(
    'SELECT id, account_id AS "accountId", amount::int, status FROM withdrawals WHERE owner_id = ANY ($1)',
    [ownerIds],
  );
}

/** Whether the bank still has to be asked. */
export function isUnsettled({ status }: Withdrawal): boolean {
  return status === 'pending' || status === 'unknown';
}

/** The balance of each account, and what its owner has transferred from it. */
export function balancesOf(
  query: Query,
  accountIds: string[],
): Promise<{ id: string; present: string; transferred: string }[]> {
  return query(
    `SELECT id, balance AS present,
       (SELECT coalesce(sum((part->>'amount')::bigint), 0)
        FROM transfers, json_array_elements(parts) AS part WHERE from_id = accounts.id) AS transferred
     FROM accounts WHERE id = ANY ($1)`,
    [accountIds],
  );
}
