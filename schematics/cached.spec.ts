import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { describe, expect, it } from 'vitest';
import { checkout, generated } from './checkout.js';

const cached = (options: object = {}, tree = checkout()): Promise<UnitTestTree> =>
  generated(
    'feature',
    { name: 'invoices', fields: 'number:string', cached: true, timestamp: 17, ...options },
    tree,
  );
const serviceOf = (tree: UnitTestTree): string => tree.readText('src/modules/invoices/invoices.service.ts');

describe('a feature whose rows are cached', () => {
  it('reads one through the cache, and writes and lists in the database', async () => {
    const service = serviceOf(await cached());

    expect(service).toMatch(/async get\(id: string\)[^]*?const cached = await this\.copies\.get\(id\)/);
    expect(service.match(/this\.copies\.get/g)).toHaveLength(1);
    expect(service).toMatch(/async change\([^]*?await this\.find\(\{ id \}\)/);
  });

  it.each([{}, { events: true }])(
    'outdates the copy when a change has been committed: %j',
    async (options) => {
      const service = serviceOf(await cached(options));

      expect(service).toMatch(/throw staleVersion\(\);\s+this\.outdate\(id, version \+ 1\);/);
      expect(service).toMatch(/throw invoiceNotFound\(\);\s+this\.outdate\(id, DELETED\);/);
      expect(service).toContain('this.unitOfWork.afterCommit(() => this.copies.outdate(id, version))');
    },
  );

  it.each<[object, string]>([
    [{ owner: true }, '!cached || cached.value.userId !== userId'],
    [
      { owner: true, access: 'optional' },
      '!(cached.value.invoice.published || cached.value.invoice.userId === viewer)',
    ],
    [{ owner: true, access: 'caller' }, 'if (!cached) throw'],
  ])('shows a copy only to those that may see the row: %j', async (options, condition) => {
    expect(serviceOf(await cached(options))).toContain(condition);
  });

  it('answers 304, lets nobody else keep what is not for everybody, and tests that changes are seen', async () => {
    const [open, own] = [await cached({ access: 'public' }), await cached({ owner: true })];
    const controller = 'src/modules/invoices/invoices.controller.ts';

    expect(open.readText(controller)).toContain("'Cache-Control', 'no-cache'");
    expect(own.readText(controller)).toContain("'Cache-Control', 'private, no-cache'");
    expect(own.readText(controller)).toMatch(
      /@Priority\('normal', \{ cached: true \}\)[^]*@ApiAnswer\(304\)/,
    );
    expect(own.readText('test/e2e/invoices.spec.ts')).toContain('every change is seen by the next read');
  });

  it('takes a field like any other', async () => {
    const fields = 'number:string remark:text:optional';
    const options = { name: 'invoices', fields: 'note:text:optional', timestamp: 18 };
    const tree = await generated('field', options, await cached({ owner: true, fields }));
    const whole = await cached({ owner: true, fields: `${fields} note:text:optional` });

    expect(serviceOf(tree)).toBe(serviceOf(whole));
  });

  it('is refused below a parent, with whose rows its own go unseen', async () => {
    await expect(cached({ belongsTo: 'orders' })).rejects.toThrow(/Not --cached with --belongs-to/);
  });

  it('is refused with slugs, by which a copy is not found', async () => {
    await expect(cached({ key: 'slug:number' })).rejects.toThrow(/Not --cached with --key slug/);
  });
});
