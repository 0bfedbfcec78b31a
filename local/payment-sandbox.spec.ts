import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpClient } from './http.ts';
import type { HttpClient, HttpResponse } from './http.ts';
import { signWebhook, startPaymentSandbox } from './payment-sandbox.ts';
import type { Charge, PaymentSandbox } from './payment-sandbox.ts';
import { privateDirectory } from './servers/private-directory.ts';
import { waitFor } from './wait-for.ts';

let sandbox: PaymentSandbox;
let http: HttpClient;

beforeEach(async () => {
  sandbox = await startPaymentSandbox({ apiKey: 'key', slowMs: 60, webhookRetryMs: 10 });
  http = httpClient(sandbox.url, { authorization: 'Bearer key' });
});
afterEach(() => sandbox.stop());

describe('a charge', () => {
  it('is made once per key, also when repeated', async () => {
    const first = await charge('k1', 'pm_card_ok');
    const again = await charge('k1', 'pm_card_ok');
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    expect(sandbox.ledger.summary()).toMatchObject({ timesCharged: { k1: 1 }, attempts: { k1: 2 } });
  });

  it('is rejected for a key that was used for another one', async () => {
    await charge('k1', 'pm_card_ok');
    expect((await charge('k1', 'pm_card_ok', { amount: 1 })).status).toBe(409);
  });

  it.each([
    ['pm_card_ok', 201, 'succeeded'],
    ['pm_card_declined', 201, 'declined'],
    ['pm_card_slow', 201, 'succeeded'],
    ['pm_card_error', 500, undefined],
    ['pm_card_other', 422, undefined],
  ])('with %s answers %i', async (method, status, outcome) => {
    const answer = await charge('k1', method);
    expect(answer.status).toBe(status);
    expect(answer.body.status).toBe(outcome);
    expect(sandbox.charges()).toHaveLength(outcome ? 1 : 0);
  });

  it('that hangs is not made', async () => {
    await expect(charge('k1', 'pm_card_hang', {}, 100)).rejects.toThrow(/timeout/);
    expect(await find('k1')).toEqual([]);
  });

  it('that is dropped was made', async () => {
    await expect(charge('k1', 'pm_card_charged_then_dropped')).rejects.toThrow();
    expect(await find('k1')).toMatchObject([{ idempotencyKey: 'k1', status: 'succeeded' }]);
  });

  it('requires the API key, an Idempotency-Key and a valid body', async () => {
    const anonymous = await httpClient(sandbox.url).post('/v1/charges', {});
    const keyless = await http.post('/v1/charges', {});
    const unsound = await charge('k1', 'pm_card_ok', { amount: 1.5 });
    expect([anonymous.status, keyless.status, unsound.status]).toEqual([401, 400, 422]);
  });

  it('is known after a restart when a file is configured', async () => {
    const folder = await privateDirectory('sandbox');
    const stateFile = join(folder.path, 'charges.jsonl');
    const before = await startPaymentSandbox({ stateFile });
    before.ledger.record('k1', { amount: 5, currency: 'EUR', paymentMethod: 'pm_card_ok', reference: 'r' });
    await before.stop();
    const after = await startPaymentSandbox({ stateFile });
    expect(after.charges()).toEqual(before.charges());
    await after.stop();
    await folder.remove();
  });
});

describe('a mood for all', () => {
  it('takes precedence over the payment method, until it is reset', async () => {
    await http.put('/control/mood', { mood: 'error' });
    const during = [await charge('k1', 'pm_card_ok'), await http.get('/v1/charges?idempotencyKey=k1')];
    await http.put('/control/mood', { mood: null });
    expect(during.map(({ status }) => status)).toEqual([500, 500]);
    expect((await charge('k1', 'pm_card_ok')).status).toBe(201);
  });

  it('must be a known one', async () => {
    expect((await http.put('/control/mood', { mood: 'sad' })).status).toBe(422);
  });
});

describe('a webhook', () => {
  let receiver: Server;
  let received: { headers: IncomingHttpHeaders; body: string }[];
  let answers: number[];

  beforeEach(async () => {
    received = [];
    answers = [];
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        received.push({ headers: request.headers, body });
        response.writeHead(answers.shift() ?? 204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    sandbox.sendWebhooksTo(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`);
  });
  afterEach(() => {
    receiver.close();
    receiver.closeAllConnections();
  });

  it('names the charge and is signed over id, time and body', async () => {
    await charge('k1', 'pm_card_declined');
    const [delivery] = await waitFor(() => received.length > 0 && received);
    const { headers, body } = delivery ?? { headers: {}, body: '' };
    expect(JSON.parse(body)).toMatchObject({ type: 'charge.declined', data: { idempotencyKey: 'k1' } });
    const again = signWebhook('development-placeholder-webhook-secret', body, {
      id: String(headers['webhook-id']),
      timestamp: Number(headers['webhook-timestamp']),
    });
    expect(headers).toMatchObject(again);
  });

  it('is repeated with the same id until it is accepted', async () => {
    answers = [500, 401];
    await charge('k1', 'pm_card_ok');
    await waitFor(() => sandbox.webhooks.delivered === 1);
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('is sent once more on demand, with the same id, the newest first', async () => {
    for (const key of ['k1', 'k2', 'k3']) await charge(key, 'pm_card_ok');
    await waitFor(() => sandbox.webhooks.delivered === 3);
    await http.put('/control/webhooks', { repeat: 2 });
    await waitFor(() => sandbox.webhooks.delivered === 5);
    const [, second, third, ...repeated] = received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(repeated)).toEqual(new Set([second, third]));
  });

  it('is not sent for a repeated charge, nor while webhooks are off', async () => {
    await charge('k1', 'pm_card_ok');
    await charge('k1', 'pm_card_ok');
    await waitFor(() => sandbox.webhooks.delivered === 1);
    await http.put('/control/webhooks', { enabled: false });
    await charge('k2', 'pm_card_ok');
    expect(sandbox.webhooks.pending).toBe(0);
    expect(received).toHaveLength(1);
  });
});

function charge(
  key: string,
  paymentMethod: string,
  changes: object = {},
  timeoutMs = 20_000,
): Promise<HttpResponse<Charge>> {
  const body = { amount: 1990, currency: 'EUR', paymentMethod, reference: 'payment-1', ...changes };
  return http.post('/v1/charges', body, { headers: { 'idempotency-key': key }, timeoutMs });
}

async function find(key: string): Promise<Charge[]> {
  return (await http.get<{ data: Charge[] }>(`/v1/charges?idempotencyKey=${key}`)).body.data;
}
