import { describe, expect, it } from 'vitest';
import { checkout, generated } from './checkout.js';

const PAGE =
  '| scenario | what happens | what must hold |\n| --- | --- | --- |\n| `soak` | load | memory |\n\nText.\n';

describe('nest g scenario', () => {
  it('writes what breaks and what must hold, and lists it', async () => {
    const tree = await generated(
      'scenario',
      { name: 'frozen-bank', breaks: 'bank' },
      checkout({ 'docs/verify.md': PAGE }),
    );

    expect(tree.readText('test/verify/scenarios/frozen-bank.scenario.ts')).toContain('stage.stack.sandbox');
    expect(tree.readText('docs/verify.md')).toMatch(/\| `frozen-bank` +\| the bank frozen for 5 s +\|/);
    await expect(generated('scenario', { name: 'frozen-bank', breaks: 'bank' }, tree)).rejects.toThrow(
      /Already there: test\/verify\/scenarios\/frozen-bank.scenario.ts/,
    );
  });

  it('refuses what cannot be broken', async () => {
    await expect(generated('scenario', { name: 'a', breaks: 'moon' })).rejects.toThrow(/postgres|breaks/);
  });
});
