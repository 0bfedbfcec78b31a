import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noteGenerated, unsaved, untouched } from '../scripts/lib/generated.js';
import { checkout, generated, textsOf, withInvoices } from './checkout.js';

describe('nest g remove-feature', () => {
  it('takes back all that was generated', async () => {
    const before = textsOf(checkout());
    const removed = await generated('remove-feature', { name: 'invoices' }, await withInvoices());

    expect(textsOf(removed)).toEqual(before);
  });

  it.each([{ path: 'billing/invoices' }, { belongsTo: 'teams' }])(
    'takes back one with %j, too, whose routes do not begin with its name',
    async (options) => {
      const fields = 'number:string';
      const before = await generated('feature', { name: 'teams', fields, timestamp: 16 });
      const there = await generated(
        'feature',
        { name: 'invoices', fields, timestamp: 17, ...options },
        before,
      );
      const removed = await generated('remove-feature', { name: 'invoices' }, there);

      expect(textsOf(removed)).toEqual(textsOf(before));
    },
  );

  it('takes back events, handlers, schedules and what documents say, too', async () => {
    // Put together, so that this file itself has no mark.
    const mark = `<!-- ${'only'}: invoices -->`;
    const doc = { 'docs/shop.md': `One.\n\n${mark}\n\nInvoices.\n\n<!-- end -->\n\nTwo.\n` };
    const feature = { name: 'invoices', fields: 'number:string', timestamp: 17 };
    let tree = await generated('feature', feature, checkout(doc));
    expect((await generated('remove-feature', { name: 'invoices' }, tree)).readText('docs/shop.md')).toBe(
      'One.\n\nTwo.\n',
    );
    tree = await generated('event', { name: 'invoices', event: 'sent', consumer: 'users' }, tree);
    tree = await generated('schedule', { name: 'invoices', task: 'remind-debtors', every: '1h' }, tree);

    await expect(generated('remove-feature', { name: 'invoices' }, tree)).rejects.toThrow(
      /src\/modules\/users\/users\.processor\.ts imports .+: keep "invoices"/,
    );
    const own = await generated('event', { name: 'invoices', event: 'paid' }, await withInvoices());
    expect(textsOf(await generated('remove-feature', { name: 'invoices' }, own))).toEqual(
      textsOf(checkout()),
    );
  });

  it('takes back the words that were noted as plain English, but for those of the example of the rule', async () => {
    const rule = 'test/architecture/rules/platform-knows-no-product.ts';
    const lists = "const EVERYDAY = new Set(['order']);\nconst EVERYDAY_PLURALS = new Set(['export']);\n";
    const platform = {
      [rule]: lists,
      'test/architecture/fixtures/platform-knows-no-product/src/modules/orders/order.entity.ts': '',
      'src/platform/jobs.ts': '// The staff of a stage, a tag and its tags',
      'src/modules/orders/order.entity.ts': '',
    };
    let tree = checkout(platform);
    for (const options of [{ name: 'tags' }, { name: 'staff', singular: 'staff-member' }])
      tree = await generated('feature', { fields: 'number:string', timestamp: 17, ...options }, tree);
    expect(tree.readText(rule)).toContain("EVERYDAY = new Set(['order', 'tag', 'staff'])");

    for (const name of ['tags', 'staff', 'orders']) tree = await generated('remove-feature', { name }, tree);
    expect(tree.readText(rule)).toBe(lists);
  });

  it('keeps the migrations of a deployed one, and adds one that drops its tables', async () => {
    const removed = await generated(
      'remove-feature',
      { name: 'invoices', deployed: true, timestamp: 18 },
      await withInvoices(),
    );

    expect(removed.files.filter((path) => path.startsWith('/migrations/'))).toEqual([
      '/migrations/17-invoices.ts',
      '/migrations/18-drop-invoices.ts',
    ]);
    const text = removed.readText('migrations/18-drop-invoices.ts');
    expect(text).toContain(`import { Invoices17 } from './17-invoices.ts';`);
    expect(text).toContain('export class DropInvoices18');
    expect(text).toContain(`query('DROP TABLE invoices')`);
    expect(text).toContain('await new Invoices17().up(queryRunner);');
  });

  it.each([
    ['bills', /There is no feature "bills". There are: invoices, users. Nothing was changed/],
    ['users', /users cannot be removed: every product has them/],
  ])('refuses %s', async (name, message) => {
    await expect(generated('remove-feature', { name }, await withInvoices())).rejects.toThrow(message);
  });

  it('leaves no reference to a table that is gone', async () => {
    const lines = { name: 'invoice-lines', fields: 'invoice:ref(invoices)', timestamp: 18 };
    const tree = await generated('feature', lines, await withInvoices());

    await expect(generated('remove-feature', { name: 'invoices' }, tree)).rejects.toThrow(
      /invoice-line\.entity\.ts refers to the table invoices: keep "invoices", or remove "invoice-lines" too/,
    );
    const both = await generated('remove-feature', { name: 'invoices,invoice-lines' }, tree);
    expect(textsOf(both)).toEqual(textsOf(checkout()));
  });

  it('leaves no event without a consumer', async () => {
    const events = `export const userJoined = defineEvent<Joined>('user.joined', { consumers: ['invoices'] });\n`;
    const tree = await generated(
      'processor',
      { name: 'invoices', queue: 'thumbnails' },
      await withInvoices(),
    );
    tree.create('src/modules/users/users.events.ts', events);
    tree.create('src/modules/invoices/invoices.processor.ts', `@EventProcessor('invoices')\nclass P {}\n`);

    await expect(generated('remove-feature', { name: 'invoices' }, tree)).rejects.toThrow(
      /users\.events\.ts has an event that only invoices handles/,
    );
    tree.overwrite(
      'src/modules/users/users.events.ts',
      events.replace(`['invoices']`, `['users', 'invoices']`),
    );
    const removed = await generated('remove-feature', { name: 'invoices' }, tree);
    expect(removed.readText('src/modules/users/users.events.ts')).toContain(`consumers: ['users']`);
  });
});

describe('a file that would be lost', () => {
  let root: string;
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  // Neither the settings of the user, nor the repository of a hook that does.
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, env: { PATH: process.env.PATH, HOME: root } });

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'unsaved-'));
    git('init', '--quiet');
    for (const path of ['committed', 'edited']) write(path, 'one');
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '--message=one');
    for (const path of ['edited', 'generated', 'generated-and-edited', 'untracked']) write(path, 'two');
    noteGenerated(root, ['generated', 'generated-and-edited']);
    write('generated-and-edited', 'three');
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it('is one that neither git nor a generator can give back', () => {
    const all = ['committed', 'edited', 'generated', 'generated-and-edited', 'untracked', 'absent'];

    expect(unsaved(root, all)).toEqual(['edited', 'generated-and-edited', 'untracked']);
    expect(untouched(root)).toEqual(['generated']);
  });
});
