import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';
import { ClientError, NotAttemptedError, TransientError } from '../../platform/errors/index.js';
import { Policies } from '../../platform/resilience/index.js';
import { PaymentProviderClient } from './payment-provider.client.js';

const request = {
  paymentId: '019a9f3c-0000-7000-8000-00000000beef',
  orderId: '019a9f3c-0000-7000-8000-00000000cafe',
  amount: 4050,
  currency: 'EUR',
  paymentMethod: 'pm_card_ok',
};
const charge = {
  id: 'ch_1',
  idempotencyKey: request.paymentId,
  status: 'succeeded',
  amount: 4050,
  currency: 'EUR',
};

let server: Server;
let client: PaymentProviderClient;
let seen: { method?: string; url?: string; headers: IncomingMessage['headers']; body: string };
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      seen = { method: incoming.method, url: incoming.url, headers: incoming.headers, body };
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = clientFor((server.address() as AddressInfo).port);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function clientFor(port: number, timeoutMs = 20_000): PaymentProviderClient {
  const settings = loadSettings(
    {
      NODE_ENV: 'test',
      PAYMENT_PROVIDER_URL: `http://127.0.0.1:${port}/base/`,
      PAYMENT_PROVIDER_API_KEY: 'the-key-of-the-provider',
      PAYMENT_PROVIDER_TIMEOUT_MS: String(timeoutMs),
    },
    PRODUCT,
  );
  const gauge = new Gauge({ name: 'circuit', help: 'circuit', labelNames: ['dependency'], registers: [] });
  return new PaymentProviderClient(settings, new Policies(settings, gauge));
}

const answering = (status: number, body: unknown) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

async function errorOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error as Error,
  );
}

describe('A charge', () => {
  it('is requested with the payment’s id as its idempotency key', async () => {
    answer = answering(201, { ...charge, paymentMethod: 'pm_card_ok' });

    expect(await client.charge(request)).toEqual(charge);
    expect([seen.method, seen.url]).toEqual(['POST', '/base/v1/charges']);
    expect(seen.headers).toMatchObject({
      authorization: 'Bearer the-key-of-the-provider',
      'idempotency-key': request.paymentId,
      'content-type': 'application/json',
    });
    expect(JSON.parse(seen.body)).toEqual({
      amount: 4050,
      currency: 'EUR',
      paymentMethod: 'pm_card_ok',
      reference: request.orderId,
    });
  });

  it('may be left undecided by the provider, which does not open its circuit', async () => {
    answer = answering(201, { ...charge, status: 'requires_action' });
    for (let asked = 0; asked < 20; asked += 1) expect(await client.charge(request)).toBe('undecided');
  });

  it('was certainly not made when the connection is refused', async () => {
    const port = (server.address() as AddressInfo).port;
    await new Promise((resolve) => server.close(resolve));

    expect(await errorOf(clientFor(port).charge(request))).toBeInstanceOf(NotAttemptedError);
  });

  it.each([401, 403, 429])('was certainly not made when the provider answers %i', async (status) => {
    const log = vi.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    answer = answering(status, { error: 'no' });

    expect(await errorOf(client.charge(request))).toBeInstanceOf(NotAttemptedError);
    expect(log.mock.calls).toHaveLength(status === 429 ? 0 : 1);
  });

  it('was certainly not made when the provider rejects the method', async () => {
    answer = answering(422, { error: 'unknown' });
    const error = await errorOf(client.charge(request));

    expect(error).toBeInstanceOf(ClientError);
    expect((error as ClientError).extensions.errors).toMatchObject([{ pointer: '/paymentMethod' }]);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['the provider fails', answering(500, { error: 'oops' })],
    ['a proxy in between fails', answering(502, '<html>Bad gateway</html>')],
    ['the answer is not JSON', answering(201, '<html>')],
    [
      'the answer is deep enough to end the process',
      answering(201, '[0,'.repeat(20_000) + '0]'.repeat(20_000)),
    ],
    ['the answer is no charge', answering(201, { id: 'ch_1' })],
    ['the answer is another payment’s', answering(201, { ...charge, idempotencyKey: request.orderId })],
    ['the connection breaks', (response) => void response.destroy()],
    [
      'the answer breaks off',
      (response) =>
        void response.writeHead(201, { 'content-length': 500 }).write('{"id":', () => response.destroy()),
    ],
  ])('may have been made when %s', async (_, behaviour) => {
    answer = behaviour;
    const error = await errorOf(client.charge(request));

    expect(error).toBeInstanceOf(TransientError);
    expect(error).not.toBeInstanceOf(NotAttemptedError);
  });

  it('may have been made when no answer comes', async () => {
    answer = () => undefined;
    const impatient = clientFor((server.address() as AddressInfo).port, 200);
    const error = await errorOf(impatient.charge(request));

    expect(error).toBeInstanceOf(TransientError);
    expect(error).not.toBeInstanceOf(NotAttemptedError);
  });

  it('that the provider finds contradictory is reported as a bug', async () => {
    answer = answering(409, { error: 'This Idempotency-Key was used for another charge' });
    const error = await errorOf(client.charge(request));

    expect(error).not.toBeInstanceOf(TransientError);
    expect(error.message).toContain('409');
  });
});

describe('Looking for a charge', () => {
  it('finds the one of a payment', async () => {
    answer = answering(200, { data: [charge] });

    expect(await client.find(request.paymentId)).toEqual(charge);
    expect([seen.method, seen.url]).toEqual(['GET', `/base/v1/charges?idempotencyKey=${request.paymentId}`]);
  });

  it('finds none', async () => {
    answer = answering(200, { data: [] });
    expect(await client.find(request.paymentId)).toBe('none');
  });

  it('reports an undecided one each time, without opening the circuit', async () => {
    answer = answering(200, { data: [{ ...charge, status: 'processing' }] });
    for (let asked = 0; asked < 20; asked += 1)
      expect(await client.find(request.paymentId)).toBe('undecided');
  });

  it('asks once when the provider fails: the payment is checked again later, and each failure counts against the circuit', async () => {
    let asked = 0;
    answer = (response) => answering((asked += 1) === 1 ? 500 : 200, { data: [charge] })(response);

    expect(await errorOf(client.find(request.paymentId))).toBeInstanceOf(TransientError);
    expect(asked).toBe(1);
  });

  it('does not treat an answer without a list as none', async () => {
    answer = answering(200, {});
    expect(await errorOf(client.find(request.paymentId))).toBeInstanceOf(TransientError);
  });
});
