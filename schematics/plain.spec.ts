import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { describe, expect, it } from 'vitest';
import { checkout, generated } from './checkout.js';

const plain = (options: object = {}, tree = checkout()): Promise<UnitTestTree> =>
  generated(
    'feature',
    { name: 'invoices', fields: 'number:string', http: false, timestamp: 17, ...options },
    tree,
  );
const serviceOf = (tree: UnitTestTree): string => tree.readText('src/modules/invoices/invoices.service.ts');
const SPEC = 'test/repositories/invoices.spec.ts';

describe('a feature without routes', () => {
  it('has a table, a service for other features, and a spec on PostgreSQL', async () => {
    const tree = await plain();

    expect(tree.files.filter((path) => path.includes('invoice')).toSorted()).toEqual([
      '/migrations/17-invoices.ts',
      '/src/modules/invoices/index.ts',
      '/src/modules/invoices/invoice.entity.ts',
      '/src/modules/invoices/invoices.module.ts',
      '/src/modules/invoices/invoices.service.ts',
      '/test/repositories/invoices.spec.ts',
    ]);
    expect(tree.readText('src/modules/invoices/invoices.module.ts')).toContain('exports: [InvoicesService]');
    expect(serviceOf(tree)).not.toContain('platform/http');
    expect(tree.readText('src/product.modules.ts')).toContain('InvoicesModule');
  });

  it('takes and returns plain values: empty and default ones may be left out', async () => {
    const service = serviceOf(
      await plain({
        fields:
          'note:text:optional price:money status:enum(draft,sent):default(draft):indexed at:timestamp:immutable',
      }),
    );

    expect(service).toMatch(
      /note\?: string \| null;[^]*priceAmount: number;[^]*status\?: string;[^]*at: Date;/,
    );
    expect(service).toContain(`status: fields.status ?? 'draft'`);
    expect(service).toContain(`note: fields.note ?? null`);
    expect(service).toContain(`Partial<Omit<InvoiceFields, 'at'>>`);
    expect(service).toMatch(/limit: number;\s+before\?: string;\s+status\?: string;?\s+\}/);
  });

  it('is for one owner in each method', async () => {
    const tree = await plain({ owner: true });

    expect(serviceOf(tree).match(/userId: string,/g)).toHaveLength(5);
    expect(tree.readText(SPEC)).toContain("it('do not exist elsewhere'");
  });

  it('needs no routes of others to make rows that its own refer to', async () => {
    const files = {
      'src/modules/users/user.entity.ts': "@Entity('users')\nexport class User {}\n",
      'src/modules/shops/index.ts': '',
      'src/modules/shops/shops.module.ts': '',
      'src/modules/shops/shop.entity.ts': `@Entity('shops')\nexport class Shop {\n  @ForeignKey('users', {})\n  userId!: string;\n}\n`,
    };
    const tree = await plain({ belongsTo: 'shops', fields: 'number:string:unique' }, checkout(files));

    expect(tree.readText(SPEC)).toContain("two('SELECT id FROM shops LIMIT 2')");
    expect(serviceOf(tree)).toContain('async find(shopId: string, id: string)');
  });

  it('belongs to a feature with an irregular plural', async () => {
    const staff = await generated('feature', {
      name: 'staff',
      singular: 'staff-member',
      fields: 'name:string',
      timestamp: 16,
    });

    expect(serviceOf(await plain({ belongsTo: 'staff' }, staff))).toContain('staffMemberId: string,');
  });

  it('leaves nothing when it is removed', async () => {
    const removed = await generated('remove-feature', { name: 'invoices' }, await plain({ owner: true }));

    expect(removed.files.filter((path) => path.includes('invoices'))).toEqual([]);
  });

  it.each<[object, RegExp]>([
    [{ path: 'bills' }, /--path is about routes/],
    [{ cached: true }, /--cached is about routes/],
    [{ idempotent: true }, /--idempotent is about routes/],
    [{ access: 'public' }, /--access is about routes/],
    [{ page: 'offset' }, /--page is about routes/],
    [{ events: true }, /then npm run g -- event/],
    [{ consumes: 'order.placed' }, /then npm run g -- processor/],
    [{ fields: 'title:string:searchable' }, /there is no list to search/],
    [{ fields: 'shop:ref(shops)' }, /no feature shops to refer to/],
  ])('refuses %j', async (options, message) => {
    await expect(plain(options)).rejects.toThrow(message);
  });
});
