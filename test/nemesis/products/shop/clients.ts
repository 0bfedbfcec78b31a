import type { SeenVersion } from '../../checker/cached-reads.ts';
import { PAYMENT_METHODS, type Role as CastRole } from '../../clients/cast.ts';
import { jsonOf, type Client } from '../../clients/client.ts';
import { pursue, repeatOld } from '../../clients/keyed-writes.ts';
import type { Answer } from '../../clients/send.ts';
import { itemsOf, newOrder, newPayment, type OrderWrite, type World } from './world.ts';

type Role = CastRole<World>;

const SHORT = [20, 120] as const;
const LONG = [100, 400] as const;

export const orders: Role = (client, world) =>
  client.loop(SHORT, () => {
    if (!client.random.chance(0.07)) return pursue(client, newOrder(client, world));
    const earlier = world.writes.filter((write): write is OrderWrite => write.kind === 'order');
    return repeatOld(client, earlier, ({ product, quantity }) => {
      const number = world.nextNumber();
      world.forbidden.push(number);
      return { items: itemsOf(world, product, quantity, number) };
    });
  });

/** Pays the latest orders; two clients may want to pay the same one, or one that somebody cancels. */
export const payments: Role = (client, world) =>
  client.loop(LONG, async () => {
    const latest = world.orders.slice(-10);
    if (latest.length === 0) return;
    const [method] = client.random.weighted(PAYMENT_METHODS, ([, weight]) => weight);
    await pursue(client, newPayment(client, world, client.random.pick(latest), method));
  });

export const cancellations: Role = (client, world) =>
  client.loop(LONG, async () => {
    const latest = world.orders.slice(-20);
    if (latest.length === 0) return;
    const { id, owner } = client.random.pick(latest);
    const ask = { method: 'POST', path: `/v1/orders/${id}/cancel`, token: owner.token } as const;
    await client.ask(client.anyApi(), { kind: 'cancel', object: id, input: {} }, ask, orderIn);
  });

/** In the words of the model: what is in stock is the balance. */
function seenProduct(client: Client, at: string): (answer: Answer) => SeenVersion {
  const before = client.processOf(at);
  return (answer) => {
    const { stock: balance, name } = jsonOf<{ name: string; stock: number }>(answer);
    const version = Number(/^"\d+-(\d+)"$/.exec(answer.headers.etag ?? '')?.[1]);
    const process = client.processOf(at);
    const stale = answer.headers['cache-status'] !== undefined;
    return { version, balance, name, stale, ...(process === before && { process }) };
  };
}

/** Reads products through the cache, at either api. */
export const cachedReads: Role = (client, world) =>
  client.loop(SHORT, () => readProduct(client, client.random.pick(world.hot).id));

async function readProduct(client: Client, id: string): Promise<number | undefined> {
  const at = client.anyApi();
  const about = { kind: 'read-product', object: id, input: {} };
  const ask = { method: 'GET', path: `/v1/products/${id}` } as const;
  const { operation } = await client.ask(at, about, ask, seenProduct(client, at));
  return (operation.value as SeenVersion | undefined)?.version;
}

/** The admin renames products with `If-Match`. */
export const changes: Role = (client, world) =>
  client.loop(LONG, async () => {
    const { id } = client.random.pick(world.hot);
    const version = await readProduct(client, id);
    if (version === undefined) return;
    const ifMatch = client.random.chance(0.1) ? '*' : `"1-${version}"`;
    const name = `${client.name} ${client.history.operations.length}`;
    const at = client.anyApi();
    await client.ask(
      at,
      { kind: 'change', object: id, input: { name, version: ifMatch === '*' ? undefined : version } },
      {
        method: 'PATCH',
        path: `/v1/products/${id}`,
        token: world.admin.token,
        headers: { 'If-Match': ifMatch },
        body: { name },
      },
      seenProduct(client, at),
    );
  });

/** Reads orders and lists, without a cache. */
export const reads: Role = (client, world) =>
  client.loop(SHORT, async () => {
    const latest = world.orders.slice(-50);
    if (latest.length === 0) return;
    const { id, owner } = client.random.pick(latest);
    if (client.random.chance(0.6)) {
      const ask = { method: 'GET', path: `/v1/orders/${id}`, token: owner.token } as const;
      await client.ask(client.anyApi(), { kind: 'read-order', object: id, input: {} }, ask, orderIn);
      return;
    }
    const limit = client.random.pick([5, 20, 100]);
    const ask = { method: 'GET', path: `/v1/orders?limit=${limit}`, token: owner.token } as const;
    const about = { kind: 'list-orders', object: owner.id, input: { limit } };
    await client.ask(client.anyApi(), about, ask, (answer) =>
      jsonOf<{ data: { id: string }[] }>(answer).data.map((order) => order.id),
    );
  });

function orderIn(answer: Answer): { id: string; status: string } {
  const { id, status } = jsonOf<{ id: string; status: string }>(answer);
  return { id, status };
}

/** Requests an export now and then, and downloads one of those that were accepted. */
export const exporting: Role = (client, world) =>
  client.loop([800, 2_000], async () => {
    const owner = client.random.pick(world.customers);
    const asked = await client.ask(
      client.anyApi(),
      { kind: 'export', object: owner.id, input: {} },
      { method: 'POST', path: '/v1/exports', token: owner.token, body: { type: 'orders' } },
      (answer) => jsonOf<{ id: string }>(answer).id,
    );
    if (asked.operation.outcome === 'ok') world.exports.push({ id: asked.operation.value as string, owner });
    const wanted = world.exports.length > 0 && client.random.pick(world.exports);
    if (wanted) await download(client, wanted);
  });

export function download(client: Client, { id, owner }: World['exports'][number]) {
  const ask = { method: 'GET', path: `/v1/exports/${id}/file`, token: owner.token } as const;
  return client.ask(client.anyApi(), { kind: 'download', object: id, input: {} }, ask, ({ text }) => text);
}
