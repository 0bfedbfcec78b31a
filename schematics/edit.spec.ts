import { describe, expect, it } from 'vitest';
import { parse, valueOf, withElement, withImport, withMember, withModule, withProperty } from './lib/edit.js';
import { withDeclared, withExport, withProvider } from './lib/modules.js';

const textOf = (edited: object): string | undefined => (edited as { text?: string }).text;

describe('an import', () => {
  it.each([
    ['', ['A'], './a.js', `import { A } from './a.js';\n`],
    [`import { A } from './a.js';\n`, ['A'], './a.js', `import { A } from './a.js';\n`],
    [`import { B } from './a.js';\n`, ['A'], './a.js', `import { A, B } from './a.js';\n`],
    [`import type { B } from './a.js';\n`, ['A'], './a.js', `import { A, type B } from './a.js';\n`],
    [`import type { A } from './a.js';\n`, ['A'], './a.js', `import { A } from './a.js';\n`],
    [`import { A } from './a.js';\n`, ['type B'], './a.js', `import { A, type B } from './a.js';\n`],
    ['', ['type B'], './a.js', `import type { B } from './a.js';\n`],
    [
      `import { C } from './c.js';\n`,
      ['A'],
      './a.js',
      `import { A } from './a.js';\nimport { C } from './c.js';\n`,
    ],
    [
      `import { B } from './b.js';\nrun();\n`,
      ['C'],
      './c.js',
      `import { B } from './b.js';\nimport { C } from './c.js';\nrun();\n`,
    ],
  ])('in %j of %j from %s', (text, names, from, expected) => {
    expect(withImport(text, names, from)).toBe(expected);
  });
});

describe('an element of a list', () => {
  const add = (text: string) => withElement(text, valueOf(parse(text), 'LIST'), 'b');

  it.each([
    ['const LIST = [];', 'const LIST = [b];'],
    ['const LIST = [a];', 'const LIST = [a, b];'],
    ['const LIST = [\n  a, // one\n];', 'const LIST = [\n  a, b, // one\n];'],
  ])('is added to %j', (text, expected) => {
    expect(textOf(add(text))).toBe(expected);
  });

  it('is not added twice', () => {
    expect(add('const LIST = [a, b];')).toEqual({ state: 'already there' });
  });

  it('is given to paste where there is no list', () => {
    expect(add('const LIST = made();')).toEqual({ state: 'cannot', paste: 'b' });
  });
});

describe('a member', () => {
  it('of an object goes before another one, or to the end', () => {
    const text = 'const O = { a: 1, z: 2 };';
    const add = (before?: string) => textOf(withMember(text, valueOf(parse(text), 'O'), 'b', 'b: 3', before));

    expect(add('z')).toBe('const O = { a: 1, b: 3, z: 2 };');
    expect(add()).toBe('const O = { a: 1, z: 2, b: 3 };');
  });

  it('of a class goes before another one with its comment', () => {
    const text = 'class A {\n  a = 1;\n\n  /** Last. */\n  z = 2;\n}';

    expect(textOf(withProperty(text, 'b', '  b = 3;', { before: 'z' }))).toBe(
      'class A {\n  a = 1;\n\n  b = 3;\n\n  /** Last. */\n  z = 2;\n}',
    );
    expect(withProperty(text, 'z', '  z = 3;')).toEqual({ state: 'already there' });
    expect(withProperty('', 'z', '  z = 3;')).toEqual({ state: 'cannot', paste: '  z = 3;' });
  });
});

describe('a module', () => {
  const MODULE = `@Module({ providers: [A] })\nexport class M {}\n`;

  it('gets a provider', () => {
    expect(textOf(withProvider(MODULE, 'B', './b.js'))).toBe(
      `import { B } from './b.js';\n@Module({ providers: [A, B] })\nexport class M {}\n`,
    );
  });

  it('declares an event, and then another one', () => {
    const once = textOf(withDeclared(MODULE, 'events', 'sent'))!;

    expect(once).toContain('imports: [MessagingModule.forFeature({ events: [sent] })]');
    expect(textOf(withDeclared(once, 'events', 'paid'))).toContain('{ events: [sent, paid] }');
    expect(textOf(withDeclared(once, 'queues', `'mails'`))).toContain(
      `{ events: [sent], queues: ['mails'] }`,
    );
    expect(withDeclared(once, 'events', 'sent')).toEqual({ state: 'already there' });
  });

  it('is listed in the product', () => {
    const result = withModule('export const PRODUCT = modulesOf(folder);', { name: 'M', from: './m.js' });

    expect(result).toMatchObject({
      state: 'cannot',
      paste: expect.stringContaining('import { M }') as string,
    });
  });
});

describe('an index', () => {
  it.each([
    ['', `export { a, type B } from './a.js';\n`],
    [`export { c } from './a.js';\n`, `export { c, a, type B } from './a.js';\n`],
    [`export { a } from './a.js';\n`, `export { a, type B } from './a.js';\n`],
  ])('that is %j exports more', (text, expected) => {
    expect(textOf(withExport(text, ['a', 'type B'], './a.js'))).toBe(expected);
  });

  it('exports nothing twice', () => {
    expect(withExport(`export { a } from './a.js';\n`, ['a'], './a.js')).toEqual({ state: 'already there' });
  });
});
