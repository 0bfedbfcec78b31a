import { httpClient } from '../../../../local/http.ts';
import { bearing, type RequestTemplate } from '../../../../local/requests.ts';
import { waitFor } from '../../../../local/wait-for.ts';
import { acknowledgedTransfers } from '../../acknowledged.ts';
import type { Cluster } from '../cluster.ts';
import type { JournalEntry } from '../../load/plan.ts';
import type { Accounts, Traffic } from './traffic.ts';
import { signUp, type SignedUp } from './sign-in.ts';

const PRODUCTS = 20;
const CUSTOMERS = 4;
const SHARE_OF_ORDERS = 0.1;
const HANDLED_WITHIN_MS = 120_000;
const BROWSING = 'reading products';

/** Nine of ten requests read a product, which is cached; one places an order, which is mailed about. */
export const traffic: Traffic = {
  open: async (url, cluster) => {
    const admin = await signUp(url, (id) =>
      cluster.sql(`UPDATE users SET role = 'admin' WHERE id = '${id}'`),
    );
    const http = httpClient(url).as(admin.token);
    const products: string[] = [];
    for (let i = 0; i < PRODUCTS; i += 1) {
      const product = { name: `Chair ${i}`, price: { amount: 4_050, currency: 'EUR' }, stock: 1_000_000 };
      const answer = await http.post<{ id: string }>('/v1/products', product);
      if (answer.status !== 201) throw new Error(`No product: ${answer.status} ${answer.text}`);
      products.push(answer.body.id);
    }
    const customers: SignedUp[] = [];
    for (let i = 0; i < CUSTOMERS; i += 1) customers.push(await signUp(url));
    const orders = products.map((productId, i): RequestTemplate => ({
      method: 'POST',
      path: '/v1/orders',
      headers: bearing(customers[i % CUSTOMERS]!.token),
      idempotencyKey: true,
      body: { items: [{ productId, quantity: 1 }] },
    }));
    return {
      streams: (perSecond) => [
        {
          name: BROWSING,
          requests: products.map((id) => ({ method: 'GET', path: `/v1/products/${id}` }) as const),
          pace: { kind: 'open', perSecond: perSecond * (1 - SHARE_OF_ORDERS) },
        },
        {
          name: 'placing orders',
          requests: orders,
          pace: { kind: 'open', perSecond: perSecond * SHARE_OF_ORDERS },
          journal: true,
        },
      ],
      cached: BROWSING,
      accounts: (journal) =>
        accountsOf(
          cluster,
          customers.map(({ id }) => id),
          journal,
        ),
    };
  },
};

/** Orders, events and mails, as they are stored. */
async function accountsOf(cluster: Cluster, customers: string[], journal: JournalEntry[]): Promise<Accounts> {
  const acknowledged = acknowledgedTransfers(journal);
  const theirs = `('${customers.join("', '")}')`;
  const unhandled = (): Promise<string[]> =>
    cluster.sql(`SELECT id FROM outbox_events AS event WHERE EXISTS (
      SELECT 1 FROM unnest(event.consumers) AS told (consumer) WHERE NOT EXISTS (
        SELECT 1 FROM inbox WHERE event_id = event.id AND inbox.consumer = told.consumer))`);
  await waitFor(async () => (await unhandled()).length === 0, {
    within: HANDLED_WITHIN_MS,
    every: 1_000,
  }).catch(() => undefined);
  const orders = new Set(await cluster.sql(`SELECT id FROM orders WHERE user_id IN ${theirs}`));
  const events = await cluster.sql(
    `SELECT id FROM outbox_events WHERE name = 'order.placed' AND payload->>'userId' IN ${theirs}`,
  );
  const mails = await mailsByEvent(cluster);
  const known = new Set(acknowledged);
  return {
    acknowledged: known.size,
    lost: acknowledged.filter((id) => !orders.has(id)).length + events.filter((id) => !mails.has(id)).length,
    // Every request has a key of its own, and a client that gets no success may not know that it has an order.
    doubled: Math.max(0, orders.size - journal.length),
    unreported: [...orders].filter((id) => !known.has(id)).length,
    mailedAgain: events.filter((id) => (mails.get(id) ?? 0) > 1).length,
    unhandled: (await unhandled()).length,
  };
}

/** How many mails there are about each event, by its id, which is the left side of their Message-ID. */
async function mailsByEvent(cluster: Cluster): Promise<Map<string, number>> {
  const list = 'http://127.0.0.1:8025/api/v1/messages?limit=1000000';
  const { messages } = JSON.parse(
    await cluster.kubectl('exec', 'deployment/mailpit', '--', 'wget', '-qO-', list),
  ) as { messages: { MessageID: string }[] };
  const mails = new Map<string, number>();
  for (const { MessageID: id } of messages) {
    const event = id.slice(0, id.indexOf('@'));
    mails.set(event, (mails.get(event) ?? 0) + 1);
  }
  return mails;
}
