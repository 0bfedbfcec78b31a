import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import type { Repository } from 'typeorm';
import { getRepositoryToken } from '@nestjs/typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ExportChunk } from '../../src/modules/exports/export-chunk.entity.js';
import type { ExportDto } from '../../src/modules/exports/dto/export.dto.js';
import { Database } from '../../src/platform/database/index.js';
import type { ProblemDocument } from '../../src/platform/http/index.js';
import { waitFor } from '../../local/wait-for.ts';
import { startBackground, type Background } from './background.ts';
import { openShop, type Shop } from './shop.ts';
import { newProduct } from '../factories/products.ts';
import { newAdmin, newUser, type TestUser } from '../factories/users.ts';
import { newOrder } from '../factories/orders.ts';

const HEADING = 'orderId,userId,status,itemCount,totalAmount,currency,createdAt';

let shop: Shop;
let background: Background;
let chair: string;

beforeAll(async () => {
  shop = await openShop({ SMTP_URL: 'smtp://127.0.0.1:1' });
  chair = await newProduct(shop, { amount: 1990, stock: 1000 });
  background = await startBackground(shop.settings);
});

afterAll(async () => {
  await background?.stop();
  await shop?.close();
});

/** Many orders at once, the n-th placed n seconds into 2020. */
async function insertOrders(customer: TestUser, count: number): Promise<void> {
  await shop.sql(
    `INSERT INTO orders (id, user_id, status, item_count, total_amount, currency, created_at, updated_at)
     SELECT uuidv7(), $1, 'pending', 1, n, 'EUR', timestamptz '2020-01-01Z' + n * interval '1 second', now()
     FROM generate_series(1, $2::int) AS n`,
    [customer.userId, count],
  );
}

const ask = (customer: TestUser, range: object = {}) =>
  customer.http.post<ExportDto & ProblemDocument>('/v1/exports', { type: 'orders', ...range });

async function asked(customer: TestUser, range: object = {}): Promise<ExportDto> {
  const answer = await ask(customer, range);
  if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`);
  return answer.body;
}

const completed = (customer: TestUser, id: string) =>
  waitFor(
    async () => {
      const { body } = await customer.http.get<ExportDto>(`/v1/exports/${id}`);
      return body.status === 'completed' ? body : undefined;
    },
    { within: 60_000, what: 'the export' },
  );

const download = (customer: TestUser, id: string, headers: Record<string, string> = {}) =>
  customer.http.get<ProblemDocument>(`/v1/exports/${id}/file`, { headers });

async function exported(customer: TestUser, range: object = {}): Promise<string> {
  const { id } = await asked(customer, range);
  await completed(customer, id);
  return (await download(customer, id)).text;
}

/** A download whose bytes are not touched by a client that knows better. */
async function rawDownload(customer: TestUser, id: string, encoding: string): Promise<IncomingMessage> {
  const sent = request(`${shop.url}/v1/exports/${id}/file`, {
    headers: { authorization: `Bearer ${customer.accessToken}`, 'accept-encoding': encoding },
    agent: false,
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

describe('Requesting an export', () => {
  it('answers 202 with the export and its location', async () => {
    const ada = await newUser(shop);
    const answer = await ask(ada);

    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/v1/exports/${answer.body.id}`);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      type: 'orders',
      status: 'queued',
      progress: { rows: 0, total: 0 },
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      completedAt: null,
    });
    expect((await ada.http.get<ExportDto>(`/v1/exports/${answer.body.id}`)).body.id).toBe(answer.body.id);
  });

  it('requires a user', async () => {
    expect((await shop.http.post('/v1/exports', { type: 'orders' })).status).toBe(401);
  });

  it.each([
    ['no type', { type: undefined }, '/type'],
    ['another type', { type: 'users' }, '/type'],
    ['an unknown field', { colour: 'red' }, '/colour'],
    ['a date without time', { from: '2026-01-01' }, '/from'],
    ['a day that does not exist', { from: '2026-02-30T00:00:00Z' }, '/from'],
    ['a leap second', { to: '2026-06-30T23:59:60Z' }, '/to'],
    ['a number as a time', { to: 1 }, '/to'],
    ['NUL in a time', { to: '2026-06-30T23:59:00Z\0' }, '/to'],
    ['an empty range', { from: '2026-01-01T00:00:00Z', to: '2026-01-01T01:00:00+01:00' }, '/to'],
    [
      'a range that ends before it begins',
      { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      '/to',
    ],
  ])('with %s is answered 422 with the member', async (_, range, pointer) => {
    const answer = await ask(await newUser(shop), range);

    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ code: 'validation-failed', errors: [{ pointer }] });
  });

  it('accepts the earliest and latest times', async () => {
    const ada = await newUser(shop);
    const order = await newOrder(ada, chair);
    const csv = await exported(ada, { from: '1000-01-01T00:00:00Z', to: '9999-12-31T23:59:59-23:59' });

    expect(csv).toContain(order.id);
  });

  it('is rejected with 503 and Retry-After while too many are unfinished', async () => {
    const [ada, others] = [await newUser(shop), await newUser(shop)];
    await shop.sql(
      `INSERT INTO exports (id, user_id, type, all_users, status)
       SELECT uuidv7(), $1, 'orders', false, 'queued' FROM generate_series(1, $2::int)`,
      [others.userId, shop.settings.exports.maxQueued],
    );
    const answer = await ask(ada);
    await shop.sql(`DELETE FROM exports WHERE user_id = $1`, [others.userId]);

    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('backlog-full');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(ada)).status).toBe(202);
  });
});

describe('The exports of one customer', () => {
  let few: Shop;

  beforeAll(async () => {
    few = await openShop({ EXPORT_MAX_QUEUED_PER_USER: '3', EXPORT_MAX_KEPT_PER_USER: '6' });
  });

  afterAll(() => few?.close());

  it('do not fill the backlog for others, even when requested at once', async () => {
    const [ada, grace] = [await newUser(few), await newUser(few)];
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(ada)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(3);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(9);
    expect(refused[0]?.body.code).toBe('quota-exceeded');
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(grace)).status).toBe(202);
  });

  it('do not fill the disk with files', async () => {
    const ada = await newUser(few);
    const finish = () => few.sql(`UPDATE exports SET status = 'completed' WHERE user_id = $1`, [ada.userId]);
    for (let i = 0; i < 6; i++) {
      expect((await ask(ada)).status).toBe(202);
      await finish();
    }
    expect((await ask(ada)).status).toBe(429);
    await few.sql(`DELETE FROM exports WHERE user_id = $1`, [ada.userId]);
    expect((await ask(ada)).status).toBe(202);
  });
});

describe('The file of an export', () => {
  it('has the orders of the customer, as CSV', async () => {
    const [ada, grace] = [await newUser(shop), await newUser(shop)];
    const orders = [await newOrder(ada, chair, 2), await newOrder(ada, chair, 2)];
    await newOrder(grace, chair);
    const { id } = await asked(ada);
    const done = await completed(ada, id);
    const answer = await download(ada, id);

    expect(done).toMatchObject({
      progress: { rows: 2, total: 2 },
      completedAt: expect.any(String) as string,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toMatch(
      new RegExp(`^attachment; filename="orders-\\d{4}-\\d\\d-\\d\\d-${id.slice(-8)}\\.csv"$`),
    );
    const lines = orders.map((order) => `${order.id},${ada.userId},pending,1,3980,EUR,${order.createdAt}`);
    expect(answer.text).toBe(`${[HEADING, ...lines].join('\r\n')}\r\n`);
  });

  it('has the orders of all customers for an admin', async () => {
    const [ada, grace, admin] = [await newUser(shop), await newUser(shop), await newAdmin(shop)];
    const orders = [await newOrder(ada, chair), await newOrder(grace, chair)];
    const csv = await exported(admin);

    for (const order of orders) expect(csv).toContain(order.id);
  });

  it('has the orders of the requested period', async () => {
    const ada = await newUser(shop);
    await insertOrders(ada, 20);
    const csv = await exported(ada, { from: '2020-01-01T00:00:05Z', to: '2020-01-01T01:00:10+01:00' });

    expect(
      csv
        .split('\r\n')
        .slice(1, -1)
        .map((line) => line.split(',')[4]),
    ).toEqual(['5', '6', '7', '8', '9']);
  });

  it('has only the heading without orders', async () => {
    expect(await exported(await newUser(shop))).toBe(`${HEADING}\r\n`);
  });

  it('is unavailable until it is complete', async () => {
    const ada = await newUser(shop);
    const [row] = await shop.sql<{ id: string }>(
      `INSERT INTO exports (id, user_id, type, all_users, status) VALUES (uuidv7(), $1, 'orders', false, 'queued')
       RETURNING id`,
      [ada.userId],
    );
    const answer = await download(ada, row?.id ?? '');

    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'export-not-ready', exportStatus: 'queued' });
  });

  it('is visible only to its owner, not even to admins', async () => {
    const [ada, grace, admin] = [await newUser(shop), await newUser(shop), await newAdmin(shop)];
    const { id } = await asked(ada);
    await completed(ada, id);
    for (const stranger of [grace, admin]) {
      expect((await stranger.http.get(`/v1/exports/${id}`)).status).toBe(404);
      expect((await download(stranger, id)).status).toBe(404);
    }
    expect((await shop.http.get(`/v1/exports/${id}/file`)).status).toBe(401);
  });

  it('is 404 for an unknown export, and 422 for an invalid id', async () => {
    const ada = await newUser(shop);

    expect((await download(ada, crypto.randomUUID())).status).toBe(404);
    expect((await ada.http.get('/v1/exports/1')).status).toBe(422);
    expect((await download(ada, '1')).status).toBe(422);
  });

  it('is 406 for clients that do not accept CSV', async () => {
    const ada = await newUser(shop);
    const { id } = await asked(ada);
    await completed(ada, id);

    expect((await download(ada, id, { accept: 'application/pdf' })).status).toBe(406);
    expect((await download(ada, id, { accept: 'text/*;q=0.5' })).status).toBe(200);
  });
});

describe('A large export', () => {
  const ROWS = 60_000;
  const GATE = 4711;
  let ada: TestUser;
  let id: string;
  let progress: ExportDto['progress'][];
  let csv: string;

  /** From now on an export stops behind its first chunk. @returns what lets it go on */
  async function stopAfterFirstChunk(): Promise<() => Promise<void>> {
    const gate = new pg.Client({ connectionString: shop.postgres.url() });
    await gate.connect();
    await gate.query('SELECT pg_advisory_lock($1)', [GATE]);
    return () => gate.end();
  }

  const untilFirstChunk = (exportId: string) =>
    waitFor(
      async () => {
        const { body } = await ada.http.get<ExportDto>(`/v1/exports/${exportId}`);
        return body.progress.rows > 0 && body.progress;
      },
      { within: 60_000, what: 'the first chunk' },
    );

  beforeAll(async () => {
    await shop.sql(`CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_advisory_xact_lock_shared(${GATE}); RETURN NEW; END $$`);
    await shop.sql(`CREATE TRIGGER gate BEFORE INSERT ON export_chunks FOR EACH ROW WHEN (NEW.seq > 0)
      EXECUTE FUNCTION wait_at_gate()`);
    ada = await newUser(shop);
    await insertOrders(ada, ROWS);
    const goOn = await stopAfterFirstChunk();
    try {
      id = (await asked(ada)).id;
      progress = [await untilFirstChunk(id)];
    } finally {
      await goOn();
    }
    await waitFor(
      async () => {
        const { body } = await ada.http.get<ExportDto>(`/v1/exports/${id}`);
        progress.push(body.progress);
        return body.status === 'completed';
      },
      { within: 60_000, every: 5, what: 'the export' },
    );
    csv = (await download(ada, id)).text;
  }, 180_000);

  it('shows its progress', () => {
    const rows = progress.map((step) => step.rows);

    expect(progress.at(-1)).toEqual({ rows: ROWS, total: ROWS });
    expect(rows).toEqual(rows.toSorted((a, b) => a - b));
    expect(rows[0]).toBeLessThan(ROWS);
    expect(progress[0]?.total).toBe(ROWS);
  });

  it('has every row once, in the order of placement', () => {
    const amounts = csv
      .split('\r\n')
      .slice(1, -1)
      .map((line) => Number(line.split(',')[4]));

    expect(amounts).toEqual(Array.from({ length: ROWS }, (_, i) => i + 1));
  });

  it.each(['gzip', 'identity'])(
    'is not read for a HEAD, which gets the same headers (%s)',
    async (encoding) => {
      const rows = shop.app.get<Repository<ExportChunk>>(getRepositoryToken(ExportChunk), { strict: false });
      const chunks = vi.spyOn(rows, 'findOneBy');
      const path = `/v1/exports/${id}/file`;
      const options = { headers: { 'accept-encoding': encoding } };
      const head = await ada.http.request('HEAD', path, options);
      // By the end of this one, anything that goes on reading for the first would have been noticed.
      const whole = await ada.http.get(path, options);

      expect([head.status, head.text]).toEqual([200, '']);
      const spoken = ({ headers }: { headers: Headers }) =>
        [...headers.keys()].filter(
          (name) => !/^(date|ratelimit|transfer-encoding|connection|keep-alive)$/.test(name),
        );
      expect(spoken(head)).toEqual(spoken(whole));
      const read = chunks.mock.calls.map(([where]) => (where as ExportChunk).seq);
      const rest = read.toSorted((a, b) => a - b).slice(2);
      expect(read.filter((seq) => seq === 0)).toHaveLength(2);
      expect(rest.length).toBeGreaterThan(0);
      expect(rest).toEqual([...new Set(rest)]);
    },
  );

  it('is sent compressed to clients that accept gzip, and plain to others', async () => {
    const packed = await rawDownload(ada, id, 'gzip');
    const plain = await rawDownload(ada, id, 'identity');
    const [packedBytes, plainBytes] = [
      Buffer.concat(await packed.toArray()),
      Buffer.concat(await plain.toArray()),
    ];

    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers.vary).toContain('Accept-Encoding');
    expect(gunzipSync(packedBytes).toString('utf8')).toBe(csv);
    expect(plainBytes.toString('utf8')).toBe(csv);
  });

  it.each(['gzip', 'identity'])(
    'leaves nothing open when a client disconnects during a %s download',
    async (encoding) => {
      const { poolState } = shop.app.get(Database);
      for (let i = 0; i < 15; i += 1) {
        const response = await rawDownload(ada, id, encoding);
        await once(response, 'readable');
        response.destroy();
      }
      const state = await waitFor(() => {
        const now = shop.app.get(Database).poolState;
        return now.idle === now.total ? now : undefined;
      });

      expect(state.waiting).toBe(0);
      expect(state.total).toBeLessThanOrEqual(Math.max(poolState.total, shop.settings.database.poolSize));
      expect((await download(ada, id)).text).toBe(csv);
    },
  );

  it('is cut off visibly when its file is deleted during the download', async () => {
    const { id: doomed } = await asked(ada);
    await completed(ada, doomed);
    const [{ last } = { last: 0 }] = await shop.sql<{ last: number }>(
      'DELETE FROM export_chunks WHERE export_id = $1 AND seq > 0 RETURNING seq AS last',
      [doomed],
    );
    expect(last).toBeGreaterThan(0);
    const response = await rawDownload(ada, doomed, 'gzip');

    await expect(response.toArray()).rejects.toThrow(/aborted/);
  });

  it('is restarted by another worker when its worker stops', async () => {
    await shop.sql(`UPDATE exports SET status = 'failed' WHERE status = 'running'`);
    const goOn = await stopAfterFirstChunk();
    let interrupted: string;
    try {
      interrupted = (await asked(ada)).id;
      await untilFirstChunk(interrupted);
    } catch (error) {
      await goOn();
      throw error;
    }
    const interruption = background.interrupt();
    await goOn();
    await interruption;
    const { body } = await ada.http.get<ExportDto>(`/v1/exports/${interrupted}`);
    expect(body.status).toBe('running');
    background = await startBackground(shop.settings);
    await completed(ada, interrupted);

    expect((await download(ada, interrupted)).text).toBe(csv);
    const attempts = await shop.sql<{ attempt: number }>(
      'SELECT DISTINCT attempt FROM export_chunks WHERE export_id = $1',
      [interrupted],
    );
    expect(attempts).toEqual([{ attempt: 2 }]);
  }, 180_000);

  it('does not change when its event is delivered again', async () => {
    await shop.sql(
      `UPDATE outbox_events SET relayed_at = NULL, redeliver_at = NULL WHERE payload->>'exportId' = $1`,
      [id],
    );
    // Handled after it: one queue, one order.
    await exported(await newUser(shop));

    expect((await download(ada, id)).text).toBe(csv);
  });
});
