import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import PostalMime, { type Email } from 'postal-mime';
import type { NotificationDto } from '../../src/modules/notifications/dto/notification.dto.js';
import type { Page, ProblemDocument } from '../../src/platform/http/index.js';
import { startSmtpSink, type SmtpSink } from '../../local/smtp-sink.ts';
import { waitFor } from '../../local/wait-for.ts';
import { startBackground, type Background } from './background.ts';
import { openShop, type Shop } from './shop.ts';
import { newProduct } from '../factories/products.ts';
import { newUser, type TestUser } from '../factories/users.ts';
import { withKey } from '../factories/keys.ts';
import { newOrder } from '../factories/orders.ts';

let sink: SmtpSink;
let shop: Shop;
let background: Background;
let chair: string;
let ada: TestUser;
let address: string;

beforeAll(async () => {
  sink = await startSmtpSink();
  shop = await openShop({
    SMTP_URL: sink.url,
    JOB_BACKOFF_MS: '100',
    JOB_BACKOFF_MAX_MS: '300',
    // However long a test takes to end an outage.
    JOB_ATTEMPTS: '1000',
  });
  chair = await newProduct(shop, { amount: 1990, stock: 1000 });
  background = await startBackground(shop.settings);
});

afterAll(async () => {
  await background?.stop();
  await shop?.close();
  await sink?.stop();
});

beforeEach(async () => {
  sink.reset();
  ada = await newUser(shop);
  address = (await ada.http.get<{ email: string }>('/v1/users/me')).body.email;
});

const pay = (orderId: string, paymentMethod: string) =>
  ada.http.post(`/v1/orders/${orderId}/payments`, { paymentMethod }, withKey());

async function eventAbout(orderId: string, name: string, { sql } = shop): Promise<string> {
  const [event] = await sql<{ id: string }>(
    `SELECT id FROM outbox_events WHERE name = $1 AND payload->>'orderId' = $2`,
    [name, orderId],
  );
  if (!event) throw new Error(`No ${name} about ${orderId}`);
  return event.id;
}

const notifications = async (customer = ada) =>
  (await customer.http.get<Page<NotificationDto>>('/v1/notifications')).body.data;

/** The mails that Ada has got, oldest first, once there are `count`. */
const mails = (count: number) =>
  waitFor(
    () => {
      const hers = sink.mails().filter(({ to }) => to.includes(address));
      return hers.length >= count ? hers : undefined;
    },
    { what: `mail number ${count}` },
  );

const sent = (count: number) =>
  waitFor(
    async () => {
      const all = await notifications();
      return all.filter(({ status }) => status === 'sent').length === count ? all : undefined;
    },
    { what: `${count} notifications that are sent` },
  );

const parsed = async (file: string): Promise<Email> => PostalMime.parse(await readFile(file));

describe('A mail', () => {
  it('is sent for an order, with the id of its event, as text and HTML', async () => {
    const order = await newOrder(ada, chair, 2);
    const [mail] = await mails(1);
    const message = await parsed(mail?.file ?? '');

    expect(message.messageId).toBe(`<${await eventAbout(order.id, 'order.placed')}@holdfast.example>`);
    expect(message.from?.address).toBe(shop.settings.notifications.from);
    expect(message.to).toMatchObject([{ address, name: 'Ada' }]);
    for (const body of [message.text, message.html]) {
      expect(body).toContain(order.id);
      expect(body).toContain('€39.80');
    }
    expect(await sent(1)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
        kind: 'order.placed',
        subject: message.subject,
        status: 'sent',
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        sentAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      },
    ]);
  });

  it('is in the language of the request that caused it', async () => {
    const german = { ...ada, http: ada.http.with({ 'accept-language': 'de-DE, en;q=0.5' }) };
    const order = await newOrder(german, chair, 2);
    const [mail] = await mails(1);
    const message = await parsed(mail?.file ?? '');

    expect(message.subject).toBe(`Wir haben Ihre Bestellung ${order.id.slice(-8)} erhalten`);
    expect(message.text).toContain('39,80\u00a0€');
    expect(message.html).toContain('<html lang="de">');
  });

  it('is sent for each change of an order, and listed newest first', async () => {
    const order = await newOrder(ada, chair);
    expect((await pay(order.id, 'pm_card_declined')).status).toBe(402);
    expect((await pay(order.id, 'pm_card_ok')).status).toBe(201);
    const other = await newOrder(ada, chair);
    await ada.http.post(`/v1/orders/${other.id}/cancel`);
    await mails(5);

    expect((await sent(5)).map(({ kind }) => kind).toSorted()).toEqual([
      'order.cancelled',
      'order.placed',
      'order.placed',
      'payment.declined',
      'payment.succeeded',
    ]);
    const ids = (await notifications()).map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
  });

  it('arrives once after an outage of the mail server, which does not affect orders', async () => {
    sink.setMood('refuse');
    await newOrder(ada, chair);
    const [waiting] = await waitFor(async () => {
      const all = await notifications();
      return all.length === 1 ? all : undefined;
    });
    expect(waiting).toMatchObject({ status: 'pending', sentAt: null });
    sink.setMood('ok');
    await sent(1);

    expect(await mails(1)).toHaveLength(1);
    expect(sink.counts()).toMatchObject({ kept: 1, duplicates: 0 });
  });

  it('becomes a dead letter when the server denies relaying, to be replayed later', async () => {
    const impatient = await openShop({ SMTP_URL: sink.url, JOB_ATTEMPTS: '3', JOB_BACKOFF_MS: '10' });
    const worker = await startBackground(impatient.settings);
    try {
      sink.setMood('deny_relay');
      const grace = await newUser(impatient);
      const { id } = await newOrder(grace, await newProduct(impatient));
      const eventId = await eventAbout(id, 'order.placed', impatient);

      const [letter] = await waitFor(
        async () => {
          const letters = await impatient.sql<{ reason: string }>(
            'SELECT reason FROM dead_letters WHERE event_id = $1 AND replayed_at IS NULL',
            [eventId],
          );
          return letters.length > 0 && letters;
        },
        { what: 'the dead letter' },
      );
      expect(letter?.reason).toBeTruthy();
      expect(await notifications(grace)).toMatchObject([{ status: 'pending', sentAt: null }]);
    } finally {
      sink.setMood('ok');
      await worker.stop();
      await impatient.close();
    }
  });

  it('has the same Message-ID when it is sent again after a lost answer', async () => {
    sink.setMood('accept_then_drop');
    await newOrder(ada, chair);
    await mails(1);
    sink.setMood('ok');
    await sent(1);

    expect(await mails(1)).toHaveLength(1);
    expect(sink.counts().kept).toBe(1);
    expect(sink.counts().duplicates).toBeGreaterThanOrEqual(1);
  });

  it('is not sent again when its event is delivered again', async () => {
    const order = await newOrder(ada, chair);
    await sent(1);
    const event = await eventAbout(order.id, 'order.placed');
    await shop.sql(`UPDATE outbox_events SET relayed_at = NULL, redeliver_at = NULL WHERE id = $1`, [event]);
    await waitFor(async () => {
      const [row] = await shop.sql<{ relayed: boolean }>(
        'SELECT relayed_at IS NOT NULL AS relayed FROM outbox_events WHERE id = $1',
        [event],
      );
      return row?.relayed;
    });
    // Whatever comes later is handled after it: the queue keeps the order.
    await newOrder(ada, chair);
    await sent(2);

    expect(sink.counts()).toMatchObject({ accepted: 2, duplicates: 0 });
  });
});

describe('The list of notifications', () => {
  it('requires a user', async () => {
    expect((await shop.http.get('/v1/notifications')).status).toBe(401);
  });

  it('shows only those of the caller', async () => {
    await newOrder(ada, chair);
    await sent(1);

    expect(await notifications(await newUser(shop))).toEqual([]);
  });

  it('is paged, with each entry once', async () => {
    for (let i = 0; i < 3; i += 1) await newOrder(ada, chair);
    await sent(3);
    const first = (await ada.http.get<Page<NotificationDto>>('/v1/notifications?limit=2')).body;
    const second = (
      await ada.http.get<Page<NotificationDto>>(`/v1/notifications?limit=2&cursor=${first.nextCursor}`)
    ).body;

    expect([...first.data, ...second.data]).toEqual(await notifications());
    expect(second.nextCursor).toBeNull();
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['cursor=nonsense', 'cursor'],
    ['colour=red', 'colour'],
  ])('answers ?%s with 422 for %s', async (query, parameter) => {
    const answer = await ada.http.get<ProblemDocument>(`/v1/notifications?${query}`);

    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ errors: [{ parameter }] });
  });
});
