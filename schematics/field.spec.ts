import { describe, expect, it } from 'vitest';
import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { generated, textsOf, withInvoices } from './checkout.js';

const BASE = 'number:string remark:text:optional';

const feature = (fields: string): Promise<UnitTestTree> =>
  generated('feature', { name: 'invoices', fields, timestamp: 17 });
const withField = async (fields: string): Promise<UnitTestTree> =>
  generated('field', { name: 'invoices', fields, timestamp: 18 }, await feature(BASE));

describe('nest g field', () => {
  it.each([
    'note:text:optional',
    'amount:decimal(5,2):optional',
    'count:integer:optional',
    'paid:boolean:optional',
    'dueOn:date:optional',
    'sentAt:timestamp:optional',
    'token:uuid:optional',
    'mail:email:optional',
    'link:url:optional',
    'status:enum(draft,sent):optional',
    'price:money:optional',
    'tags:string(20)[]:optional',
    'counts:integer[]:optional',
    'place:json(street:string,zip:string:optional):optional',
  ])('adds %s as if the feature had been generated with it', async (fields) => {
    const [added, whole] = [textsOf(await withField(fields)), textsOf(await feature(`${BASE} ${fields}`))];
    // Rows of tables in specs may be in another order.
    const comparable = (texts: Record<string, string>) =>
      Object.entries(texts)
        .filter(([path]) => !path.startsWith('/migrations/'))
        .map(([path, text]) => [path, path.endsWith('.spec.ts') ? text.split('\n').toSorted() : text]);

    expect(comparable(added)).toEqual(comparable(whole));
  });

  it('adds a reference, with its key and its index', async () => {
    const tree = await withField('customer:ref(users):optional');
    const entity = tree.readText('src/modules/invoices/invoice.entity.ts');

    expect(entity).toContain(`@Index('invoices_customer_id_id_idx', ['customerId', 'id'])`);
    expect(entity).toContain(`@ForeignKey('users', { name: 'invoices_customer_id_fkey' })`);
    const sample = tree.readText('test/e2e/invoices.sample.ts');
    expect(sample).toContain('customerId: await me(api, as)');
    expect(sample).toMatch(/invoiceBodies\(\s*api: DocumentedApi,\s*as: string/);
  });

  it.each([
    ['status:enum(draft,sent):default(draft)', "text NOT NULL DEFAULT 'draft'", "default: 'draft'"],
    ['count:integer:default(3)', 'integer NOT NULL DEFAULT 3', 'default: 3'],
    ['rate:decimal(5,2):default(0.50)', "numeric(5,2) NOT NULL DEFAULT '0.50'", "default: () => '0.50'"],
    ['rate:decimal(5,2):default(7)', "numeric(5,2) NOT NULL DEFAULT '7.00'", "default: () => '7.00'"],
    ['rate:decimal(5,2):default(-1.5)', "numeric(5,2) NOT NULL DEFAULT '-1.50'", "default: '-1.50'"],
    ['rate:decimal(5,0):default(7)', "numeric(5,0) NOT NULL DEFAULT '7'", "default: '7'"],
  ])(
    'adds the required %s with a default, which the rows get that are there',
    async (fields, sql, option) => {
      const tree = await withField(fields);
      const migration = tree.files.find((path) => path.startsWith('/migrations/18'))!;

      expect(tree.readText(migration)).toContain(sql);
      expect(tree.readText('src/modules/invoices/invoice.entity.ts')).toContain(option);
      expect(tree.readText('test/e2e/invoices.spec.ts').match(/by default/g)).toHaveLength(1);
    },
  );

  it('adds to the table of defaults that is there', async () => {
    const tree = await generated(
      'field',
      { name: 'invoices', fields: 'paid:boolean:default(false)', timestamp: 19 },
      await withField('count:integer:default(3)'),
    );

    expect(tree.readText('test/e2e/invoices.spec.ts')).toMatch(
      /\['count', 3\],\s+\['paid', false\],\s+\]\)\('have %s %j by default'/,
    );
  });

  it('migrates to and fro', async () => {
    const tree = await withField('note:text:optional customer:ref(users):optional');
    const text = tree.readText('migrations/18-invoices-note-customer-id.ts');

    expect(text).toContain('class InvoicesNoteCustomerId18');
    expect(text).toContain('ADD COLUMN note text, ADD COLUMN customer_id uuid, ADD CONSTRAINT');
    expect(text).toContain('FOREIGN KEY (customer_id) REFERENCES users (id) NOT VALID');
    expect(text).toContain('DROP COLUMN customer_id, DROP COLUMN note');
    // What reads all rows, without a lock for which others wait.
    const checked = tree.readText('migrations/1018-invoices-note-customer-id-checked.ts');
    expect(checked).toContain('transaction = false;');
    expect(checked).toContain('VALIDATE CONSTRAINT invoices_customer_id_fkey');
    expect(checked).toContain(`'invoices_customer_id_id_idx', 'ON invoices (customer_id, id)'`);
  });

  it('is taken back with the feature', async () => {
    const removed = await generated(
      'remove-feature',
      { name: 'invoices' },
      await withField('note:text:optional'),
    );

    expect(removed.files.filter((path) => path.includes('invoices'))).toEqual([]);
  });

  it.each([
    ['note:text', /note: rows are there without it.+Give it a default.+note:text:default\(…\)/],
    ['price:money', /rows are there without it.+release before add more. Make it optional, fill it/],
    ['code:string:optional:unique', /code: add it as optional alone/],
    ['number:string:optional', /invoice.entity.ts has number already/],
    ['customer:ref(customers):optional', /There is no feature customers to refer to/],
    ['a', /"a" is no field/],
  ])('refuses %s', async (fields, message) => {
    await expect(generated('field', { name: 'invoices', fields }, await withInvoices())).rejects.toThrow(
      message,
    );
  });

  it('refuses a second time', async () => {
    const again = generated(
      'field',
      { name: 'invoices', fields: 'note:text:optional' },
      await withField('note:text:optional'),
    );

    await expect(again).rejects.toThrow(/has note already/);
  });

  it('says what it cannot do in code that looks otherwise', async () => {
    const tree = await withInvoices();
    tree.overwrite('src/modules/invoices/invoices.service.ts', 'export class InvoicesService {}\n');
    tree.delete('test/e2e/invoices.sample.ts');

    const changed = await generated('field', { name: 'invoices', fields: 'note:text:optional' }, tree);
    expect(changed.readText('src/modules/invoices/invoice.entity.ts')).toContain('note!: string | null;');
    expect(changed.readText('src/modules/invoices/invoices.service.ts')).toBe(
      'export class InvoicesService {}\n',
    );
  });
});
