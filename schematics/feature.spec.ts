import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { describe, expect, it } from 'vitest';
import { checkout, generated } from './checkout.js';
import { withModule } from './lib/edit.js';
import { columnsOf, fieldsOf } from './lib/fields.js';
import { KINDS } from './lib/kinds.js';
import { namesOf } from './lib/names.js';

const generate = (options: object, tree = checkout()): Promise<UnitTestTree> =>
  generated('feature', { name: 'invoices', fields: 'number:string', timestamp: 17, ...options }, tree);

describe('nest g feature', () => {
  it('writes a feature like the plainest one of the house, and lists its module', async () => {
    const tree = await generate({});

    expect(tree.files.toSorted()).toEqual([
      '/migrations/17-invoices.ts',
      '/src/modules/invoices/dto/invoice-fields.dto.ts',
      '/src/modules/invoices/dto/invoice.dto.ts',
      '/src/modules/invoices/index.ts',
      '/src/modules/invoices/invoice.entity.ts',
      '/src/modules/invoices/invoices.controller.ts',
      '/src/modules/invoices/invoices.module.ts',
      '/src/modules/invoices/invoices.service.ts',
      '/src/modules/users/index.ts',
      '/src/modules/users/users.module.ts',
      '/src/product.modules.ts',
      '/test/e2e/invoices.sample.ts',
      '/test/e2e/invoices.spec.ts',
    ]);
    expect(tree.readText('src/product.modules.ts')).toContain(
      "import { InvoicesModule } from './modules/invoices/index.js';",
    );
  });

  it('gives each row an owner, or leaves writing to admins', async () => {
    const own = (await generate({ owner: true })).readText('src/modules/invoices/invoices.controller.ts');
    const shared = (await generate({})).readText('src/modules/invoices/invoices.controller.ts');

    expect(own).toContain('@CurrentCaller() { userId }');
    expect(own).not.toContain('@RequireRole');
    expect(shared.match(/@RequireRole\('admin'\)/g)).toHaveLength(3);
  });

  it('writes nothing when a file is in the way, and lists what is', async () => {
    const tree = await generate({});

    await expect(generate({}, tree)).rejects.toThrow(
      /Already there: .*invoices\.service\.ts.*migrations\/17-invoices\.ts.*Nothing was written/,
    );
  });

  it.each([
    [{ fields: 'customer:ref(customers)' }, /no feature customers to refer to/],
    [{ name: 'Invoices' }, /"Invoices" is no name/],
    [{ name: 'staff' }, /looks like a singular/],
    [{ fields: '' }, /at least one field/],
    [{ access: 'friends' }, /"public", "optional", "caller", "admin"/],
    [{ path: '/v1/invoices' }, /is no path: write what comes after/],
    [{ fields: 'parent:ref(invoices)' }, /parentId has to be optional: the first invoice/],
    [{ belongsTo: 'users' }, /there is --owner/],
    [{ belongsTo: 'orders' }, /no feature orders to refer to/],
    [{ name: 'columns' }, /uses the name "columns" for something else/],
    [{ name: 'classes' }, /uses the name "class" for something else/],
    [{ fields: 'number:string:immutable' }, /At least one field has to change/],
  ])('refuses %j', async (options, message) => {
    await expect(generate(options)).rejects.toThrow(message);
  });

  it('keeps what is immutable out of changes', async () => {
    const tree = await generate({ fields: 'number:string:immutable note:text' });
    const folder = 'src/modules/invoices';

    expect(tree.readText(`${folder}/dto/invoice-fields.dto.ts`)).not.toContain('number');
    expect(tree.readText(`${folder}/dto/create-invoice.dto.ts`)).toContain('number!: string');
    expect(tree.readText(`${folder}/invoices.controller.ts`)).toMatch(
      /@Body\(\) fields: CreateInvoiceDto[^]*@Body\(\) fields: InvoiceFieldsDto/,
    );
  });

  it('lists by what is indexed: filters and orders, with an index for each', async () => {
    const tree = await generate({ owner: true, fields: 'dueOn:date:indexed paid:boolean:indexed note:text' });

    expect(tree.readText('migrations/17-invoices.ts')).toContain(
      'CREATE INDEX invoices_user_id_due_on_id_idx ON invoices (user_id, due_on, id)',
    );
    const query = tree.readText('src/modules/invoices/dto/invoice-query.dto.ts');
    expect(query).toContain("['dueOn', '-dueOn'] as const");
    expect(query).toMatch(/dueOn\?: string[^]*paid\?: boolean/);
    expect(query).not.toContain('note');
  });

  it('searches the words of all searchable fields, by the expression of one index', async () => {
    const tree = await generate({ fields: 'title:string:searchable note:text:optional:searchable' });

    expect(tree.readText('migrations/17-invoices.ts')).toContain(
      `USING gin (to_tsvector('simple', title || ' ' || coalesce(note, '')))`,
    );
    expect(tree.readText('src/modules/invoices/invoices.service.ts')).toContain(
      `to_tsvector('simple', invoice.title || ' ' || coalesce(invoice.note, ''))`,
    );
  });

  it('holds money as an amount and a currency, and objects as json with a class', async () => {
    const tree = await generate({
      fields: 'price:money:optional to:json(street:string,zip:string:optional)',
    });

    expect(tree.readText('migrations/17-invoices.ts')).toMatch(
      /price_amount bigint,\s+price_currency char\(3\),\s+"to" jsonb NOT NULL/,
    );
    expect(tree.readText('src/modules/invoices/dto/invoice-to.dto.ts')).toMatch(
      /class InvoiceToDto \{[^]*street!: string;[^]*zip\?: string;/,
    );
  });

  it('announces what happens in the unit of work of the change, and handles it', async () => {
    const tree = await generate({ events: true });
    const folder = 'src/modules/invoices';

    expect(tree.readText(`${folder}/invoices.service.ts`)).toMatch(
      /unitOfWork\.run\(async \(\) => \{\s+await this\.invoices\.insert[^]*announce\(invoiceCreated[^]*announce\(invoiceDeleted/,
    );
    expect(tree.readText(`${folder}/invoices.processor.ts`)).toContain('this.inbox.once(event');
    expect(tree.readText(`${folder}/invoices.module.ts`)).toContain("queues: ['invoices']");
    expect((await generate({ processor: true })).files).toEqual(tree.files);
  });

  it('takes an Idempotency-Key', async () => {
    const tree = await generate({ idempotent: true });

    expect(tree.readText('src/modules/invoices/invoices.controller.ts')).toContain(
      '@IdempotencyKeyHeader() request: IdempotentRequest',
    );
    expect(tree.readText('src/modules/invoices/invoices.module.ts')).toContain('IdempotencyModule');
  });

  it.each([
    [{ access: 'public' }, /@Public\(\)/g, 2],
    [{ access: 'admin' }, /@RequireRole\('admin'\)/g, 5],
    [{ access: 'caller', owner: true }, /@CurrentCaller\(\)/g, 3],
    [{ owner: true }, /@CurrentCaller\(\)/g, 5],
  ])('is open to those that %j says', async (options, mark, times) => {
    const text = (await generate(options)).readText('src/modules/invoices/invoices.controller.ts');

    expect(text.match(mark)).toHaveLength(times);
  });

  it('puts its routes below a parent, and at another path', async () => {
    const others = {
      'src/modules/staff/index.ts': '',
      'test/e2e/staff.sample.ts': 'export async function anyStaffMember(api: DocumentedApi) {}',
    };
    const nested = await generate({ belongsTo: 'staff', path: 'bills' }, checkout(others));
    const other = await generate({ path: 'billing/invoices' });

    expect(nested.readText('src/modules/invoices/invoices.controller.ts')).toContain(
      "@Controller('v1/staff/:staffMemberId/bills')",
    );
    expect(nested.readText('migrations/17-invoices.ts')).toContain(
      'FOREIGN KEY (staff_member_id) REFERENCES staff (id) ON DELETE CASCADE',
    );
    expect(other.readText('src/modules/invoices/invoices.controller.ts')).toContain(
      "@Controller('v1/billing/invoices')",
    );
  });

  it.each([
    ["@Controller('v1/invoices')", 'the route v1/invoices'],
    ["@Entity('invoices')", 'the table invoices'],
    ['export class InvoiceDto {}', 'the class InvoiceDto'],
    ["operationId: 'getInvoice'", 'the operation listInvoices'],
    ["@EventProcessor('invoices')", 'the queue invoices'],
  ])('writes nothing when another feature has %s', async (text, what) => {
    const tree = checkout({ 'src/modules/users/other.ts': text });

    await expect(generate({ events: true }, tree)).rejects.toThrow(
      `Already there: ${what} in src/modules/users/other.ts. Nothing was written.`,
    );
  });

  it('notes words that the platform uses as plain English, and takes none that it uses as a name', async () => {
    const rule = 'test/architecture/rules/platform-knows-no-product.ts';
    const platform = {
      [rule]: "const EVERYDAY = new Set(['order']);\nconst EVERYDAY_PLURALS = new Set(['export']);\n",
      'src/platform/jobs.ts': '// At this stage the tags of a line; see jobId',
    };
    const tags = await generate({ name: 'tags' }, checkout(platform));
    const lines = await generate({ name: 'lines' }, checkout(platform));

    expect(tags.readText(rule)).toBe(
      "const EVERYDAY = new Set(['order', 'tag']);\nconst EVERYDAY_PLURALS = new Set(['export', 'tag']);\n",
    );
    expect(lines.readText(rule)).toBe(
      "const EVERYDAY = new Set(['order', 'line']);\nconst EVERYDAY_PLURALS = new Set(['export']);\n",
    );
    await expect(generate({ name: 'jobs' }, checkout(platform))).rejects.toThrow(
      /Already there: job as a thing of the platform/,
    );
  });

  it('writes nothing when the tests of the platform make such a table, or such a route', async () => {
    for (const text of ['CREATE TABLE invoices (', "http.get('/v1/invoices')", "@Controller('v1/invoices')"])
      await expect(generate({}, checkout({ 'test/specimen/ledger.ts': text }))).rejects.toThrow(
        'Already there: invoices in tests of the platform, such as test/specimen/ledger.ts',
      );
  });

  it('quotes names that PostgreSQL reserves', async () => {
    const text = (await generate({ fields: 'order:integer:unique to:string' })).readText(
      'migrations/17-invoices.ts',
    );

    expect(text).toMatch(/"order" integer NOT NULL,\s+"to" text NOT NULL[^]*UNIQUE \("order"\)/);
  });

  it('takes a reference only to a feature whose sample the tests can use', async () => {
    const options = { name: 'lines', fields: 'invoice:ref(invoices)' };
    const files = { 'src/modules/invoices/index.ts': '' };

    await expect(generate(options, checkout(files))).rejects.toThrow(/write test\/e2e\/invoices\.sample\.ts/);
    const sampled = checkout({
      ...files,
      'test/e2e/invoices.sample.ts': 'export async function anyInvoice(api: DocumentedApi) {}',
    });
    expect((await generate(options, sampled)).readText('migrations/17-lines.ts')).toContain(
      'FOREIGN KEY (invoice_id) REFERENCES invoices (id)',
    );
  });
});

describe('the list of fields', () => {
  it('names kinds, their arguments and options', () => {
    const [number, status, customer] = fieldsOf(
      'number:string(40):unique status:enum(draft, sent):optional customer:ref(users)',
    );

    expect(number).toMatchObject({
      name: 'number',
      kindName: 'string',
      argument: '40',
      unique: true,
      optional: false,
    });
    expect(status).toMatchObject({ argument: 'draft,sent', unique: false, optional: true });
    expect(customer).toMatchObject({ name: 'customerId', column: 'customer_id', argument: 'users' });
  });

  it.each([
    ['amount', /is no field: write name:kind/],
    ['amount:price', /no kind "price". There are: string, /],
    ['amount:integer:big', /no option "big". There are: optional, unique/],
    ['amount:integer:default(many)', /"many" is no default of it/],
    ['status:enum(draft,sent):default(paid)', /"paid" is no default of it/],
    ['rate:decimal(3,2):default(10)', /"10" is no default of it/],
    ['count:integer:optional:default(1)', /what has a default is not optional/],
    ['count:bigint[]', /no arrays of bigint; there are of string, integer, uuid, url, enum/],
    ['note:text:indexed', /text cannot be unique or indexed/],
    ['name:string(900):unique', /an index holds a string of at most 600 characters/],
    ['at:date:searchable', /date has no words to search for/],
    ['to:json', /write it like json\(street:string/],
    ['to:json(when:money)', /when cannot be a member of json/],
    ['price:money priceAmount:integer', /price_amount is there twice/],
    ['limit:integer', /limit has a meaning already/],
    ['constructor:string', /constructor has a meaning already/],
    ['a:constructor', /no kind "constructor"/],
    ['status:enum(draft,draft)', /a word is there twice/],
    ['amount:integer(4)', /takes nothing in parentheses/],
    ['status:enum(draft)', /write it like enum\(draft,sent\)/],
    ['Due_on:date', /camelCase/],
    ['version:integer', /every row has version already/],
    ['a:text a:text', /the field a is there twice/i],
  ])('%s is refused', (text, message) => {
    expect(() => fieldsOf(text)).toThrow(message);
  });

  it('knows defaults, arrays, money and objects', () => {
    const [status, tags, price, to] = fieldsOf(
      'status:enum(draft,sent):default(draft):indexed tags:string(20)[]:optional price:money to:json(street:string, count:integer:optional)',
    );

    expect(status).toMatchObject({ default: "'draft'", indexed: true });
    expect(tags).toMatchObject({ array: true, optional: true, argument: '20' });
    expect(columnsOf(price!)).toMatchObject([
      { property: 'priceAmount', column: 'price_amount', sql: 'bigint' },
      { property: 'priceCurrency', column: 'price_currency', sql: 'char(3)' },
    ]);
    expect(to!.members).toMatchObject([{ name: 'street' }, { name: 'count', optional: true }]);
  });

  it.each(Object.entries(KINDS).filter(([name]) => !['ref', 'json'].includes(name)))(
    'has for %s two samples that differ, and a value that is refused',
    (name, kind) => {
      const argument = { enum: 'draft,sent' }[name] ?? '';
      const [first, second] = kind.samples(argument);

      expect(first).not.toBe(second);
      expect([first, second]).not.toContain(kind.bad);
    },
  );
});

describe('the names of a feature', () => {
  it.each([
    ['invoices', 'invoice'],
    ['categories', 'category'],
    ['addresses', 'address'],
    ['boxes', 'box'],
    ['invoice-lines', 'invoice-line'],
    ['statuses', 'status'],
    ['movies', 'movie'],
    ['sizes', 'size'],
    ['branches', 'branch'],
    ['sales-people', 'sales-person'],
  ])('%s: one is %s', (plural, singular) => {
    expect(namesOf(plural).singular).toBe(singular);
  });

  it('follow in every form', () => {
    expect(namesOf('invoice-lines')).toMatchObject({
      pascal: 'InvoiceLine',
      pascalPlural: 'InvoiceLines',
      camel: 'invoiceLine',
      table: 'invoice_lines',
      words: 'invoice line',
    });
  });

  it('are given where a plural is irregular', () => {
    expect(namesOf('staff', 'staff-member').pascal).toBe('StaffMember');
  });
});

describe('the list of modules', () => {
  const MODULES = `import { UsersModule } from './modules/users/index.js';

// In the order of their routes.
export const PRODUCT: Type[] = [
  UsersModule,
];
`;
  const module = { name: 'InvoicesModule', from: './modules/invoices/index.js' };

  it('gets the module, and its import in order', () => {
    const result = withModule(MODULES, module);

    expect(result).toMatchObject({ state: 'done' });
    expect((result as { text: string }).text).toMatch(
      /^import \{ InvoicesModule \}.*\nimport \{ UsersModule \}[^]*UsersModule, InvoicesModule,\n\]/,
    );
  });

  it('is left alone when the module is there already', () => {
    const { text } = withModule(MODULES, module) as { text: string };

    expect(withModule(text, module)).toEqual({ state: 'already there' });
  });

  it('is not guessed: what cannot be added is given to paste', () => {
    expect(withModule('export const PRODUCT = modulesOf(folder);', module)).toMatchObject({
      state: 'cannot',
    });
  });
});
