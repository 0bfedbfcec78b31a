import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createApi } from '../../../src/api.app.js';
import { HealthRegistry } from '../../../src/platform/health/index.js';
import { Deprecated } from '../../../src/platform/http/index.js';
import { createProcessLog } from '../../../src/platform/observability/index.js';
import { waitFor } from '../../../local/wait-for.js';
import { httpClient } from '../../../local/http.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { PRODUCT as FEATURES } from '../../specimen/product.modules.js';

vi.mock('../../specimen/product.modules.js', async (original) => {
  const { PRODUCT } = await original<typeof import('../../specimen/product.modules.js')>();
  const { RoutesModule } = await import('./routes.module.js');
  return { PRODUCT: [...PRODUCT, RoutesModule] };
});

const ID = '019aa000-0000-7000-8000-000000000000';

let ledger: LedgerUnderTest;

beforeAll(async () => {
  ledger = await startLedger({ CORS_ORIGINS: 'https://app.example' });
});

afterAll(() => ledger?.stop());

const signsOf = ({ headers }: { headers: Headers }) =>
  ['deprecation', 'sunset', 'link'].map((name) => headers.get(name));

const SIGNS = [
  '@1767225600',
  'Wed, 30 Jun 2027 12:00:00 GMT',
  '<https://example.com/changes#old>; rel="deprecation"; type="text/html"',
];

describe('A deprecated route', () => {
  it.each([
    ['an answer', 'GET', `/v1/things/old/${ID}`, 200],
    ['an answer to HEAD', 'HEAD', `/v1/things/old/${ID}`, 200],
    ['an error', 'GET', '/v1/things/old/7', 422],
  ])('says so, and until when it works, with %s', async (_, method, path, status) => {
    const answer = await ledger.http.request(method, path);

    expect(answer.status).toBe(status);
    expect(signsOf(answer)).toEqual(SIGNS);
  });

  it('may have no date of removal, and be one of many of its controller', async () => {
    expect(signsOf(await ledger.http.post('/v0/things'))).toEqual(['@1767225600', null, null]);
  });

  it('leaves other routes as they are', async () => {
    expect(signsOf(await ledger.http.get('/v1/things'))).toEqual([null, null, null]);
  });

  it('says so to scripts of other origins', async () => {
    const { headers } = await ledger.http.get(`/v1/things/old/${ID}`, {
      headers: { origin: 'https://app.example' },
    });
    expect(headers.get('access-control-expose-headers')?.split(', ')).toEqual(
      expect.arrayContaining(['Deprecation', 'Sunset', 'Link']),
    );
  });

  it('is deprecated in the document', async () => {
    const { paths } = (
      await ledger.http.get<{ paths: Record<string, Record<string, object>> }>('/openapi.json')
    ).body;

    expect(paths['/v1/things/old/{id}']?.get).toMatchObject({
      deprecated: true,
      'x-deprecation': { since: '2026-01-01', sunset: '2027-06-30T12:00:00Z' },
    });
    expect(paths['/v0/things']?.post).toMatchObject({ deprecated: true });
    expect(paths['/v1/things']?.get).not.toHaveProperty('deprecated');
  });

  it('is named in the log with the program that calls it', async () => {
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
    const log = createProcessLog(ledger.settings, 'api', destination);
    log.access.level = 'info';
    const api = await createApi(ledger.settings, log, new HealthRegistry(), undefined, FEATURES);
    try {
      await api.listen(0, '127.0.0.1');
      const http = httpClient(await api.getUrl(), { 'user-agent': 'a program of 2019' });
      const requests = () => lines.filter(({ message }) => message === 'request');
      await http.get(`/v1/things/old/${ID}`);
      await http.get('/v1/things');
      await waitFor(() => requests().length === 2, { what: 'a line for each request' });

      const [old, current] = ['/v1/things/old/:id', '/v1/things'].map((route) =>
        requests().find((line) => line.route === route),
      );
      expect(old).toMatchObject({ deprecated: true, userAgent: 'a program of 2019' });
      expect(current).not.toHaveProperty('deprecated');
      expect(current).not.toHaveProperty('userAgent');
    } finally {
      await api.close();
    }
  });
});

it.each([
  ['no date', { since: 'soon' }],
  ['a removal that is no date', { since: '2026-01-01', sunset: 'later' }],
  ['a removal before it (RFC 9745 section 4)', { since: '2026-01-01', sunset: '2025-12-31' }],
  ['a link that would end the header', { since: '2026-01-01', link: 'https://example.com/>; rel="x"' }],
])('A deprecation is rejected at start with %s', (_, deprecation) => {
  expect(() => Deprecated(deprecation)).toThrow('Deprecated');
});
