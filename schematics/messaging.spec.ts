import { describe, expect, it } from 'vitest';
import { generated, textsOf, withInvoices } from './checkout.js';

const MODULE = 'src/modules/invoices/invoices.module.ts';

describe('nest g event', () => {
  it('declares the event, with its first handler and a spec', async () => {
    const tree = await generated(
      'event',
      { name: 'invoices', event: 'sent', payload: 'invoiceId:uuid note:text:optional', consumer: 'users' },
      await withInvoices(),
    );

    expect(tree.readText('src/modules/invoices/invoices.events.ts')).toBe(
      `import { defineEvent } from '../../platform/messaging/index.js';

export interface InvoiceSent {
  invoiceId: string;
  note?: string;
}

export const invoiceSent = defineEvent<InvoiceSent>('invoice.sent', { consumers: ['users'] });
`,
    );
    expect(tree.readText(MODULE)).toContain('MessagingModule.forFeature({ events: [invoiceSent] })');
    expect(tree.readText('src/modules/invoices/index.ts')).toContain(
      `export { invoiceSent, type InvoiceSent } from './invoices.events.js';`,
    );
    const handler = tree.readText('src/modules/users/users.processor.ts');
    expect(handler).toContain(`import { invoiceSent, type InvoiceSent } from '../invoices/index.js';`);
    expect(handler).toMatch(/@EventProcessor\('users'\)[^]+@Handles\(invoiceSent\)\n {2}async onInvoiceSent/);
    expect(tree.readText('src/modules/users/users.module.ts')).toContain(`forFeature({ queues: ['users'] })`);
    expect(tree.readText('test/e2e/invoice-sent.event.spec.ts')).toContain('const PAYLOAD: InvoiceSent = {');
  });

  it('adds a second event, and a next version, to what is there', async () => {
    const once = await generated('event', { name: 'invoices', event: 'sent' }, await withInvoices());
    const twice = await generated('event', { name: 'invoices', event: 'paid' }, once);
    const tree = await generated('event', { name: 'invoices', event: 'sent', eventVersion: 2 }, twice);

    const events = tree.readText('src/modules/invoices/invoices.events.ts');
    expect(events.match(/defineEvent<\w+>\('[\w.]+'/g)).toEqual([
      `defineEvent<InvoiceSent>('invoice.sent'`,
      `defineEvent<InvoicePaid>('invoice.paid'`,
      `defineEvent<InvoiceSentV2>('invoice.sent.v2'`,
    ]);
    expect(tree.readText(MODULE)).toContain('events: [invoiceSent, invoicePaid, invoiceSentV2]');
    expect(tree.readText('src/modules/invoices/invoices.processor.ts').match(/@Handles\(\w+\)/g)).toEqual([
      '@Handles(invoiceSent)',
      '@Handles(invoicePaid)',
      '@Handles(invoiceSentV2)',
    ]);
  });

  it.each([
    [{ name: 'bills' }, /There is no feature "bills". There are: .*invoices/],
    [{ event: 'Sent' }, /"Sent" is no name/],
    [{ consumer: 'bills' }, /There is no feature "bills"/],
    [{ payload: 'id' }, /"id" is no member of a payload: write name:kind/],
    [{ payload: 'at:time' }, /at:time: a payload has no "time". It has: string, /],
    [{ payload: 'a:text a:text' }, /The payload has a twice/],
    [{ eventVersion: 2 }, /There is no invoice.sent of which this could be the next version/],
  ])('refuses %j', async (options, message) => {
    const asked = { name: 'invoices', event: 'sent', ...options };
    await expect(generated('event', asked, await withInvoices())).rejects.toThrow(message);
  });

  it('refuses an event that is there, and one whose handler would close a cycle', async () => {
    const tree = await generated('event', { name: 'invoices', event: 'sent' }, await withInvoices());
    await expect(generated('event', { name: 'invoices', event: 'sent' }, tree)).rejects.toThrow(
      /has invoice.sent already: for another payload give --event-version 2/,
    );
    tree.create('src/modules/invoices/a.ts', `import { UsersService } from '../users/index.js';\n`);
    await expect(
      generated('event', { name: 'invoices', event: 'paid', consumer: 'users' }, tree),
    ).rejects.toThrow(/invoices stands on users/);
  });
});

describe('nest g processor', () => {
  it('makes a feature one more consumer of an event', async () => {
    const once = await generated('event', { name: 'invoices', event: 'sent' }, await withInvoices());
    const tree = await generated('processor', { name: 'users', event: 'invoice.sent' }, once);

    expect(tree.readText('src/modules/invoices/invoices.events.ts')).toContain(
      `consumers: ['invoices', 'users']`,
    );
    expect(tree.readText('src/modules/users/users.processor.ts')).toContain('@Handles(invoiceSent)');
    await expect(generated('processor', { name: 'users', event: 'invoice.sent' }, tree)).rejects.toThrow(
      /users is a consumer of invoice.sent already/,
    );
  });

  it('makes a worker of a plain queue', async () => {
    const tree = await generated(
      'processor',
      { name: 'invoices', queue: 'thumbnails' },
      await withInvoices(),
    );

    expect(tree.readText(MODULE)).toContain(`BullModule.registerQueue({ name: 'thumbnails' })`);
    expect(tree.readText(MODULE)).toContain('ThumbnailsProcessor');
    expect(tree.readText('src/modules/invoices/thumbnails.processor.ts')).toContain(
      'class ThumbnailsProcessor extends WorkerHost',
    );
    const before = textsOf(tree);
    await expect(generated('processor', { name: 'users', queue: 'thumbnails' }, tree)).rejects.toThrow(
      /has the queue thumbnails already/,
    );
    expect(textsOf(tree)).toEqual(before);
  });

  it.each([
    [{}, /Give --event .+ or --queue/],
    [{ event: 'a.b', queue: 'c' }, /Give --event .+ or --queue/],
    [{ event: 'invoice.lost' }, /No feature declares the event invoice.lost/],
    [{ queue: 'Thumbs' }, /"Thumbs" is no name/],
  ])('refuses %j', async (options, message) => {
    await expect(
      generated('processor', { name: 'invoices', ...options }, await withInvoices()),
    ).rejects.toThrow(message);
  });
});

describe('nest g schedule', () => {
  it.each([
    [{ every: '15m' }, 'every: 15 * MINUTE_MS'],
    [{ every: '1d' }, 'every: DAY_MS'],
    [{ cron: '30 2 * * *', timeZone: 'Europe/Berlin' }, `pattern: '30 2 * * *', timeZone: 'Europe/Berlin'`],
  ])('runs a method as %j says', async (options, said) => {
    const asked = { name: 'invoices', task: 'remind-debtors', ...options };
    const tree = await generated('schedule', asked, await withInvoices());

    expect(tree.readText('src/modules/invoices/remind-debtors.schedule.ts')).toContain(said);
    expect(tree.readText(MODULE)).toContain('RemindDebtors');
    await expect(generated('schedule', { ...asked, name: 'users' }, tree)).rejects.toThrow(
      /has the schedule remind-debtors already/,
    );
  });

  it.each([
    [{}, /Give --every .+ or --cron/],
    [{ every: '1h', cron: '* * * * *' }, /Give --every .+ or --cron/],
    [{ every: '0h' }, /"0h" is no interval/],
    [{ cron: 'daily' }, /"daily" is no pattern/],
    [{ cron: '30 2 * * *', timeZone: 'Berlin' }, /There is no time zone "Berlin"/],
    [{ every: '1h', timeZone: 'UTC' }, /--time-zone goes with --cron/],
  ])('refuses %j', async (options, message) => {
    const asked = { name: 'invoices', task: 'remind-debtors', ...options };
    await expect(generated('schedule', asked, await withInvoices())).rejects.toThrow(message);
  });
});
