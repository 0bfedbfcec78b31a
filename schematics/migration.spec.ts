import { describe, expect, it } from 'vitest';
import { checkout, generated } from './checkout.js';
import { migrationText, tidy, warningsOf } from './migration/statements.js';

describe('nest g migration', () => {
  it('can be empty, for what entities do not say', async () => {
    const tree = await generated('migration', { name: 'fill-notes', empty: true, timestamp: 17 });

    expect(tree.readText('migrations/17-fill-notes.ts')).toContain('export class FillNotes17 implements');
  });

  it('refuses a name that is taken or none', async () => {
    const tree = checkout({ 'migrations/1-fill-notes.ts': '' });

    await expect(generated('migration', { name: 'fill-notes', empty: true }, tree)).rejects.toThrow(
      /Already there: migrations\/1-fill-notes.ts/,
    );
    await expect(generated('migration', { name: 'Fill' })).rejects.toThrow(/"Fill" is no name/);
  });

  it.each([
    ['ALTER TABLE "invoices" ADD "note" text', 'ALTER TABLE invoices ADD COLUMN note text'],
    ['ALTER TABLE "orders" ADD "user" text', 'ALTER TABLE orders ADD COLUMN "user" text'],
    [
      'ALTER TABLE "invoices" ADD CONSTRAINT "k" FOREIGN KEY ("a") REFERENCES "users"("id") ON DELETE NO ACTION ON UPDATE NO ACTION',
      'ALTER TABLE invoices ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES users (id)',
    ],
    ['DROP INDEX "public"."a_idx"', 'DROP INDEX a_idx'],
    [
      `ALTER TABLE "a" ADD "b" text DEFAULT '"x" ''y'''`,
      `ALTER TABLE a ADD COLUMN b text DEFAULT '"x" ''y'''`,
    ],
  ])('writes %s as %s', (sql, expected) => {
    expect(tidy(sql, new Set(['user']))).toBe(expected);
  });

  it('warns of what loses data, and of what fails where there are rows', () => {
    const statements = [
      'ALTER TABLE a ADD COLUMN b text',
      'ALTER TABLE a ADD COLUMN c text NOT NULL',
      'ALTER TABLE a DROP COLUMN d',
    ];

    expect(warningsOf(statements)).toEqual([
      expect.stringMatching(/loses data.+DROP COLUMN d/),
      expect.stringMatching(/fails where the table has rows.+COLUMN c/),
    ]);
  });

  it('undoes in the given order, and quotes what has quotes', () => {
    const text = migrationText('A1', [`SELECT 'a'`], ['DROP b', 'DROP a']);

    expect(text).toContain("await queryRunner.query(`SELECT 'a'`);");
    expect(text).toMatch(/'DROP b'[^]+'DROP a'/);
  });
});
