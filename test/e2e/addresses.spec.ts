import { register } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShop, type Shop } from './shop.ts';
import { newUser, type TestUser } from '../factories/users.ts';

interface Address {
  id: string;
  city: string;
  createdAt: string;
}
interface Page {
  data: Address[];
  nextCursor: string | null;
}
interface Problem {
  code: string;
}

const HOME = {
  recipient: 'Ada Lovelace',
  street: '12 St James’s Square',
  postalCode: 'SW1Y 4JH',
  city: 'London',
  country: 'GB',
};
const NOWHERE = '/v1/addresses/00000000-0000-7000-8000-000000000000';

describe('delivery addresses', () => {
  let shop: Shop;
  let ada: TestUser;
  let grace: TestUser;

  beforeAll(async () => {
    shop = await openShop();
    ada = await newUser(shop);
    grace = await newUser(shop);
  });

  afterAll(() => shop?.close());

  const add = async (customer: TestUser, fields: object = {}) => {
    const { status, body, headers } = await customer.http.post<Address>('/v1/addresses', {
      ...HOME,
      ...fields,
    });
    expect(status).toBe(201);
    return { path: headers.get('location') as string, etag: headers.get('etag') as string, body };
  };

  it('are added, read, changed and deleted by their owner', async () => {
    const { path, etag, body } = await add(ada);
    expect(body).toEqual({
      ...HOME,
      id: path.split('/').at(-1),
      createdAt: expect.stringMatching(/Z$/) as string,
    });
    const read = await ada.http.get<Address>(path);
    expect([read.status, read.headers.get('etag'), read.body]).toEqual([200, etag, body]);

    const moved = { ...HOME, city: 'Nottingham' };
    const changed = await ada.http.put<Address>(path, moved, { headers: { 'if-match': etag } });
    expect([changed.status, changed.body]).toEqual([200, { ...body, city: 'Nottingham' }]);
    const again = await ada.http.get<Address>(path);
    expect(again.headers.get('etag')).toBe(changed.headers.get('etag'));
    expect(again.body).toEqual(changed.body);

    expect((await ada.http.delete(path)).status).toBe(204);
    expect((await ada.http.get(path)).status).toBe(404);
    expect((await ada.http.delete(path)).status).toBe(404);
  });

  it('are changed only with the current version', async () => {
    const { path, etag } = await add(ada);
    const change = async (city: string, ifMatch?: string) => {
      const headers: Record<string, string> = ifMatch === undefined ? {} : { 'if-match': ifMatch };
      const { status, body } = await ada.http.put<Problem>(path, { ...HOME, city }, { headers });
      return status === 200 ? status : [status, body.code];
    };
    expect(await change('Nottingham')).toEqual([428, 'precondition-required']);
    const both = await Promise.all([change('Nottingham', etag), change('Ealing', etag)]);
    expect(both).toEqual(expect.arrayContaining([200, [412, 'stale-version']]));
    expect(await change('Ockham', etag)).toEqual([412, 'stale-version']);
    expect(await change('Ockham', '*')).toBe(200);
  });

  it('do not exist for other users', async () => {
    const { path, etag } = await add(ada);
    const answers = await Promise.all([
      grace.http.get<Problem>(path),
      grace.http.put<Problem>(path, HOME, { headers: { 'if-match': etag } }),
      grace.http.delete<Problem>(path),
      grace.http.get<Problem>(NOWHERE),
    ]);
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      answers.map(() => [404, 'address-not-found']),
    );
    expect((await ada.http.get(path)).status).toBe(200);
    expect((await shop.http.get(path)).status).toBe(401);
  });

  it('are listed newest first, page by page, each once', async () => {
    const added: string[] = [];
    for (const city of ['Oslo', 'Bergen', 'Tromsø']) added.unshift((await add(grace, { city })).body.id);
    const seen: string[] = [];
    let path = '/v1/addresses?limit=2';
    for (let pages = 0; pages < 5; pages += 1) {
      const { body } = await grace.http.get<Page>(path);
      seen.push(...body.data.map(({ id }) => id));
      if (body.nextCursor === null) break;
      path = `/v1/addresses?limit=2&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual(added);
  });

  it("are counted in the pool's metrics, like every statement", async () => {
    await add(ada);
    const metrics = await register.metrics();
    expect(metrics).toMatch(/db_query_duration_seconds_count\{[^}]*operation="INSERT"[^}]*\} [1-9]/);
    expect(metrics).toMatch(/db_pool_wait_seconds_count\{[^}]*pool="primary"[^}]*\} [1-9]/);
    for (const state of ['used', 'idle', 'waiting']) {
      expect(metrics).toMatch(
        new RegExp(`db_pool_connections\\{pool="primary",state="${state}"[^}]*\\} \\d`),
      );
    }
  });
});
