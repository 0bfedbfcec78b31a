import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signWebhook } from '../../local/payment-sandbox.js';
import { privateDirectory, type PrivateDirectory } from '../../local/servers/private-directory.js';
import { waitFor } from '../../local/wait-for.js';
import { Conformance, type OpenApiDocument } from './openapi/conformance.js';
import { DocumentedApi, NOBODY } from './openapi/documented-api.js';
import { describeEveryOperation, describePromises } from './openapi/every-operation.js';
import { startProduct, type ProductUnderTest } from './product-under-test.js';
import { newAdmin, newUser } from '../factories/users.js';

/** The operations of the example features; what every fork keeps is in openapi.spec.ts. */
const ADDRESS = { recipient: 'Ada', street: '1 Road', postalCode: '1', city: 'London', country: 'GB' };

const PICTURE = { contentType: 'image/png', size: 5 };

let objects: PrivateDirectory;
let product: ProductUnderTest;
let api: DocumentedApi;
let conformance: Conformance;
let customer: string;
let stranger: string;
let admin: string;
let productId: string;

const call = (...request: Parameters<DocumentedApi['call']>) => api.call(...request);
const statusOf = (...request: Parameters<DocumentedApi['call']>) => api.statusOf(...request);
const idempotent = (key?: string) => api.idempotent(key);

async function placeOrder(quantity = 1): Promise<string> {
  const body = { items: [{ productId, quantity }] };
  const answer = await call('POST', '/v1/orders', { as: customer, body, headers: idempotent() });
  expect(answer.status).toBe(201);
  return (answer.body as { id: string }).id;
}

beforeAll(async () => {
  objects = await privateDirectory('objects');
  product = await startProduct({ STORAGE_DIRECTORY: objects.path });
  product.sandbox.sendWebhooksTo(`${product.url}/v1/webhooks/payments`);
  const { body } = await product.http.get<OpenApiDocument>('/openapi.json');
  conformance = new Conformance(body);
  api = new DocumentedApi(product.url, conformance);
  const users = await Promise.all([newUser(product), newUser(product), newAdmin(product)]);
  [customer, stranger, admin] = users.map(({ accessToken }) => accessToken) as [string, string, string];
  const made = await call('POST', '/v1/products', {
    as: admin,
    body: {
      name: 'Oak Chair',
      description: 'To sit on',
      price: { amount: 4900, currency: 'EUR' },
      stock: 100,
    },
  });
  productId = (made.body as { id: string }).id;
}, 120_000);

afterAll(async () => {
  await product?.stop();
  await objects?.remove();
});

describe('products', () => {
  it('are listed and shown, with 304 when nothing has changed', async () => {
    expect(await statusOf('GET', '/v1/products?limit=1')).toBe(200);
    for (const path of ['/v1/products', `/v1/products/${productId}`]) {
      const { headers } = await call('GET', path);
      expect(await statusOf('GET', path, { headers: { 'if-none-match': headers.get('etag') ?? '' } })).toBe(
        304,
      );
    }
  });

  it('are created and changed by admins only, and only with the current version', async () => {
    const body = { name: 'Steel Lamp', price: { amount: 1200, currency: 'EUR' }, stock: 3 };
    expect(await statusOf('POST', '/v1/products', { as: customer, body })).toBe(403);
    const made = await call('POST', '/v1/products', { as: admin, body });
    const path = made.headers.get('location') ?? '';
    const known = { 'if-match': made.headers.get('etag') ?? '' };

    expect(await statusOf('PATCH', path, { as: admin, body: { stock: 4 } })).toBe(428);
    expect(await statusOf('PATCH', path, { as: customer, body: { stock: 4 }, headers: known })).toBe(403);
    expect(await statusOf('PATCH', path, { as: admin, body: { stock: 4 }, headers: known })).toBe(200);
    expect(await statusOf('PATCH', path, { as: admin, body: { stock: 5 }, headers: known })).toBe(412);
  });
});

describe('orders', () => {
  it('are placed once per key', async () => {
    const body = { items: [{ productId, quantity: 2 }] };
    const first = await call('POST', '/v1/orders', { as: customer, body, headers: idempotent('once') });
    const again = await call('POST', '/v1/orders', { as: customer, body, headers: idempotent('once') });
    const other = { items: [{ productId, quantity: 3 }] };

    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const foreign = await call('POST', '/v1/orders', { as: stranger, body, headers: idempotent('once') });
    expect([foreign.status, foreign.headers.has('idempotency-replayed')]).toEqual([201, false]);
    expect((foreign.body as { id: string }).id).not.toBe((first.body as { id: string }).id);
    expect(
      await statusOf('POST', '/v1/orders', { as: customer, body: other, headers: idempotent('once') }),
    ).toBe(422);
    expect(await statusOf('POST', '/v1/orders', { as: customer, body })).toBe(400);
  });

  it('require stock of known products', async () => {
    const order = (id: string, quantity: number) =>
      statusOf('POST', '/v1/orders', {
        as: customer,
        body: { items: [{ productId: id, quantity }] },
        headers: idempotent(),
      });

    expect(await order(productId, 1000)).toBe(409);
    expect(await order(NOBODY, 1)).toBe(422);
  });

  it('are shown to their owner and to admins', async () => {
    const id = await placeOrder();
    await placeOrder();

    expect(await statusOf('GET', `/v1/orders/${id}`, { as: customer })).toBe(200);
    expect(await statusOf('GET', `/v1/orders/${id}`, { as: admin })).toBe(200);
    expect(await statusOf('GET', `/v1/orders/${id}`, { as: stranger })).toBe(404);
    const { body } = await call('GET', '/v1/orders?limit=1', { as: customer });
    expect(
      await statusOf('GET', `/v1/orders?limit=1&cursor=${(body as { nextCursor: string }).nextCursor}`, {
        as: customer,
      }),
    ).toBe(200);
  });

  it('are cancelled once', async () => {
    const id = await placeOrder();

    expect(await statusOf('POST', `/v1/orders/${id}/cancel`, { as: stranger })).toBe(404);
    expect(await statusOf('POST', `/v1/orders/${id}/cancel`, { as: customer })).toBe(200);
    const paid = await placeOrder();
    const body = { paymentMethod: 'pm_card_ok' };
    expect(
      await statusOf('POST', `/v1/orders/${paid}/payments`, { as: customer, body, headers: idempotent() }),
    ).toBe(201);
    expect(await statusOf('POST', `/v1/orders/${paid}/cancel`, { as: customer })).toBe(409);
  });
});

describe('payments', () => {
  const pay = (orderId: string, paymentMethod: string, as = customer) =>
    call('POST', `/v1/orders/${orderId}/payments`, { as, body: { paymentMethod }, headers: idempotent() });

  it('succeed, once', async () => {
    const order = await placeOrder();
    const paid = await pay(order, 'pm_card_ok');

    expect(paid.status).toBe(201);
    expect(await statusOf('GET', paid.headers.get('location') ?? '', { as: customer })).toBe(200);
    expect(await statusOf('GET', paid.headers.get('location') ?? '', { as: stranger })).toBe(404);
    expect((await pay(order, 'pm_card_ok')).status).toBe(409);
  });

  it('are declined, forbidden to others, and sometimes of unknown outcome', async () => {
    const order = await placeOrder();

    expect((await pay(order, 'pm_card_declined')).status).toBe(402);
    expect((await pay(order, 'pm_card_ok', stranger)).status).toBe(404);
    // Else the webhook may tell before the api has answered.
    product.sandbox.webhooks.enabled = false;
    expect((await pay(order, 'pm_card_charged_then_dropped')).status).toBe(202);
    product.sandbox.webhooks.enabled = true;
  });

  it('are reported by signed webhooks', async () => {
    await pay(await placeOrder(), 'pm_card_ok');
    const [charge] = product.sandbox.charges();
    const raw = JSON.stringify({
      id: 'evt_spec',
      type: 'charge.succeeded',
      createdAt: new Date().toISOString(),
      data: charge,
    });
    const signed = signWebhook(product.settings.payments.webhookSecret, raw, { id: 'evt_spec' });
    const webhook = { raw, body: JSON.parse(raw) as unknown };

    expect(await statusOf('POST', '/v1/webhooks/payments', { ...webhook, headers: signed })).toBe(204);
    const forged = { ...signed, 'webhook-signature': 'v1,Zm9yZ2Vk' };
    expect(await statusOf('POST', '/v1/webhooks/payments', { ...webhook, headers: forged })).toBe(401);
    const empty = '{"type":"charge.succeeded","data":{}}';
    const signedToo = signWebhook(product.settings.payments.webhookSecret, empty, { id: 'evt_empty' });
    expect(await statusOf('POST', '/v1/webhooks/payments', { raw: empty, headers: signedToo })).toBe(422);
  });
});

describe('exports and notifications', () => {
  it('produce a file that can be downloaded once complete', async () => {
    const made = await call('POST', '/v1/exports', { as: customer, body: { type: 'orders' } });
    expect(made.status).toBe(202);
    const path = made.headers.get('location') ?? '';
    expect(await statusOf('GET', `${path}/file`, { as: customer })).toBe(409);
    expect(await statusOf('GET', path, { as: stranger })).toBe(404);

    await product.startWorker();
    const completed = () =>
      call('GET', path, { as: customer }).then(
        ({ body }) => (body as { status: string }).status === 'completed',
      );
    await waitFor(completed, { within: 20_000, every: 100, what: 'the export' });
    const file = await call('GET', `${path}/file`, { as: customer });
    expect([file.status, file.text.split('\n')[0]?.trim()]).toEqual([
      200,
      'orderId,userId,status,itemCount,totalAmount,currency,createdAt',
    ]);
    expect(await statusOf('GET', `${path}/file`, { as: stranger })).toBe(404);
  });

  it('document mail', async () => {
    const sent = () =>
      call('GET', '/v1/notifications?limit=5', { as: customer }).then(
        ({ body }) => (body as { data: object[] }).data.length > 0,
      );

    expect(await waitFor(sent, { within: 20_000, every: 100, what: 'a notification' })).toBe(true);
  });
});

describe('delivery addresses', () => {
  it('are visible to their owner only', async () => {
    const made = await call('POST', '/v1/addresses', { as: customer, body: ADDRESS });
    expect(made.status).toBe(201);
    const path = made.headers.get('location') ?? '';
    const change = (headers: Record<string, string>) =>
      statusOf('PUT', path, { as: customer, body: ADDRESS, headers });
    expect(await statusOf('GET', path, { as: customer })).toBe(200);
    expect(await statusOf('GET', '/v1/addresses', { as: customer })).toBe(200);
    expect(await statusOf('GET', '/v1/addresses?limit=0', { as: customer })).toBe(422);
    expect(await change({})).toBe(428);
    expect(await change({ 'if-match': '"0"' })).toBe(412);
    expect(await change({ 'if-match': made.headers.get('etag') ?? '' })).toBe(200);
    expect(await statusOf('DELETE', path, { as: customer })).toBe(204);
  });
});

describe('pictures', () => {
  it('are confirmed when their file was sent, and belong to their owner', async () => {
    const made = await call('POST', '/v1/pictures', { as: customer, body: PICTURE });
    expect(made.status).toBe(201);
    const path = made.headers.get('location') ?? '';
    expect(await statusOf('POST', `${path}/confirm`, { as: customer })).toBe(409);
    const { method, url, headers } = (
      made.body as { upload: { method: string; url: string; headers: object } }
    ).upload;
    expect(
      (await fetch(url, { method, headers: { ...headers }, body: 'x'.repeat(PICTURE.size) })).status,
    ).toBe(200);
    expect(await statusOf('POST', `${path}/confirm`, { as: stranger })).toBe(404);
    expect(await statusOf('POST', `${path}/confirm`, { as: customer })).toBe(200);
    expect(await statusOf('GET', path, { as: customer })).toBe(200);
    expect(await statusOf('DELETE', path, { as: customer })).toBe(204);
  });
});

// Generated features have specs of their own that hold them against the document.
const SHOP = /^\/v1\/(addresses|exports|notifications|orders|pictures|products|webhooks)\b/;

const ofTheShop = () => ({ api, operations: conformance.operations.filter(({ path }) => SHOP.test(path)) });

describeEveryOperation(() => ({
  ...ofTheShop(),
  admin,
  bodyLimit: product.settings.http.bodyLimitBytes,
  bodies: {
    createProduct: { name: 'Cork Table', price: { amount: 1, currency: 'EUR' }, stock: 1 },
    changeProduct: { stock: 1 },
    placeOrder: { items: [{ productId: NOBODY, quantity: 1 }] },
    payOrder: { paymentMethod: 'pm_card_ok' },
    receivePaymentWebhook: {},
    createExport: { type: 'orders' },
    createAddress: ADDRESS,
    changeAddress: ADDRESS,
    createPicture: PICTURE,
  },
  signed: ['receivePaymentWebhook'],
}));

describePromises(ofTheShop);
