import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { HttpClient, HttpResponse } from '../../local/http.ts';
import type { ApiProcess } from '../../local/processes.ts';
import { startTestStack } from '../../local/stack.ts';
import { waitFor } from '../../local/wait-for.ts';
import type { TestStack, TestStackOptions } from '../../local/stack.ts';
import { buildSpecimen } from '../specimen/build.ts';
import { newUser } from '../factories/users.ts';
import { ledgerSettings } from '../specimen/outside.ts';

/** What opens the fault routes, for the environment of the stack. */
export const REHEARSALS = { FAULTS_ENABLED: 'true', FAULTS_TOKEN: 'a-token-for-rehearsals' };

/** `NODE_OPTIONS` of a process that cannot end its shutdown: none of its servers ever reports that it has closed. */
export const NEVER_CLOSES = `--import=data:text/javascript,${encodeURIComponent(
  "import { Server } from 'node:net'; Server.prototype.close = function () { return this; };",
)}`;

/** Who comes to the counter. */
export const OWNER = { email: 'owner@example.com', password: 'a password of some length', name: 'Ada' };
const ACCOUNTS = 50;
/** The last of them are left to tests that name theirs. */
const DRAWN_ON = 40;

export interface Transfer {
  id: string;
  parts: { to: string; amount: number }[];
}

export interface HeldTransfer {
  /** Undefined when the connection was lost. */
  answer: Promise<HttpResponse<Transfer> | undefined>;
  release(): Promise<void>;
}

export interface HeldPrint {
  path: string;
  /** Whether its job is in the middle of its work. */
  isInProgress(): Promise<boolean>;
  release(): Promise<void>;
}

/** The counter of a bank: the ledger (test/specimen) as built processes on a stack of its own, and an owner who is logged in. */
export interface Counter {
  stack: TestStack;
  api: ApiProcess;
  /** As the owner. */
  http: HttpClient;
  accessToken: string;
  /** As nobody. */
  anonymous: HttpClient;
  /** Of the owner, with plenty of money in each. */
  accounts: string[];
  /** What makes the next transfer of one, between accounts that no other one of the last 25 has touched. */
  nextTransfer(): { from: string; parts: { to: string; amount: number }[] };
  transfer(key?: string): Promise<HttpResponse<Transfer>>;
  /**
   * Sends a transfer that is in flight until it is let go: it waits for the row of its account. Resolves when it waits. The api
   * needs patient timeouts (test/support/patience.ts).
   */
  holdTransfer(http: HttpClient): Promise<HeldTransfer>;
  /** Nobody can read the table until it is let go. @returns what does that, once or more often */
  lockTable(table: string): Promise<() => Promise<void>>;
  /** Orders a print whose job, once a worker has begun it, is in progress until it is let go: it waits for the row. */
  holdPrint(): Promise<HeldPrint>;
  /** Draws on the bank, of which the outcome may be unknown. */
  withdraw(
    method: string,
    options?: { account?: string; key?: string },
  ): Promise<HttpResponse<{ id: string; status: string }>>;
  /** How many receipts the worker has written, and for how many transfers. */
  receipts(): Promise<{ written: number; transfers: number }>;
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  ready(): Promise<HttpResponse<{ status: string; details: Record<string, { status: string }> }>>;
  live(): Promise<HttpResponse>;
  /** Switches a fault on in api and worker (`FAULTS_ENABLED`), or all of them off. */
  rehearse(fault?: { target: string; kind: 'fail' | 'block' }): Promise<void>;
  close(): Promise<void>;
}

/** Opens a counter: PostgreSQL, Redis, the bank, one api, and a worker unless told otherwise. */
export async function openCounter({
  worker = true,
  ...options
}: TestStackOptions & { worker?: boolean } = {}): Promise<Counter> {
  const stack = await startTestStack({
    ...options,
    dist: await buildSpecimen(),
    settings: ledgerSettings,
  });
  try {
    const api = await stack.api();
    const processes = worker ? [api, await stack.worker()] : [api];
    const anonymous = api.http;
    const { userId, accessToken, http } = await newUser(api, OWNER);
    const query = <Row extends object>(text: string, values?: unknown[]) =>
      queryOnce<Row>(stack.postgres.adminUrl('holdfast'), text, values);
    const opened = await query<{ id: string }>(
      `INSERT INTO accounts (id, owner_id, name, balance, currency)
       SELECT uuidv7(), $1, 'Account ' || n, 1000000000, 'EUR' FROM generate_series(1, $2) AS n RETURNING id`,
      [userId, ACCOUNTS],
    );
    const accounts = opened.map(({ id }) => id);
    let made = 0;
    let drawn = 0;
    // Concurrent ones shall not queue for one row.
    const nextTransfer = () => {
      const from = accounts[made % ACCOUNTS]!;
      const to = accounts[(made + 1) % ACCOUNTS]!;
      made += 2;
      return { from, parts: [{ to, amount: 1 }] };
    };
    return {
      stack,
      api,
      http,
      accessToken,
      anonymous,
      accounts,
      nextTransfer,
      transfer: (key = randomUUID()) =>
        http.post('/v1/transfers', nextTransfer(), { headers: { 'Idempotency-Key': key } }),
      holdTransfer: (client) => hold(stack.postgres.adminUrl('holdfast'), client, nextTransfer()),
      lockTable: async (table) => {
        const statement = `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`;
        const blocker = await takeLock(stack.postgres.adminUrl('holdfast'), statement);
        return () => blocker.end();
      },
      holdPrint: async () => {
        const prints = `/v1/accounts/${accounts[0]}/prints`;
        const ordered = await http.post<{ id: string }>(prints);
        if (ordered.status !== 202)
          throw new Error(`No print was ordered: ${ordered.status} ${ordered.text}`);
        const { id } = ordered.body;
        const row = 'SELECT 1 FROM prints WHERE id = $1 FOR UPDATE';
        const blocker = await takeLock(stack.postgres.adminUrl('holdfast'), row, [id]);
        const waits = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE "prints"%'`;
        return {
          path: `${prints}/${id}`,
          isInProgress: async () => (await query(waits)).length === 1,
          release: () => blocker.end(),
        };
      },
      withdraw: (method, { account = accounts[drawn++ % DRAWN_ON], key = randomUUID() } = {}) =>
        http.post(
          `/v1/accounts/${account}/withdrawals`,
          { amount: 100, method },
          { headers: { 'Idempotency-Key': key } },
        ),
      receipts: async () => {
        const text =
          'SELECT count(*)::int AS written, count(DISTINCT transfer_id)::int AS transfers FROM receipts';
        return (await query<{ written: number; transfers: number }>(text))[0]!;
      },
      query,
      ready: () => api.management.get('/health/ready'),
      live: () => api.management.get('/health/live'),
      rehearse: async (fault) => {
        const headers = { authorization: `Bearer ${REHEARSALS.FAULTS_TOKEN}` };
        for (const { management } of processes) {
          const asked = fault
            ? management.put('/faults', fault, { headers })
            : management.delete('/faults', { headers });
          if ((await asked).status !== 200) throw new Error('The fault routes refused');
        }
      },
      close: () => stack.stop(),
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

async function hold(url: string, http: HttpClient, transfer: { from: string }): Promise<HeldTransfer> {
  const blocker = await takeLock(url, 'SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE', [transfer.from]);
  const answer = http
    .post<Transfer>('/v1/transfers', transfer, { headers: { 'Idempotency-Key': randomUUID() } })
    .catch(() => undefined);
  const waits = 'SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))';
  await waitFor(async () => (await blocker.query(waits)).rows.length > 0, { what: 'a transfer that waits' });
  return { answer, release: () => blocker.end() };
}

/** @returns the connection that holds the lock until it ends */
async function takeLock(url: string, statement: string, values?: unknown[]): Promise<pg.Client> {
  const blocker = new pg.Client(url);
  await blocker.connect();
  await blocker.query('BEGIN');
  await blocker.query(statement, values);
  return blocker;
}

async function queryOnce<Row extends object>(url: string, text: string, values?: unknown[]): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
