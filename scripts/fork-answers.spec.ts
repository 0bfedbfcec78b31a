import { describe, expect, it } from 'vitest';
import { answersFrom, parseFlags } from './lib/fork/answers.js';
import { ForkFailure } from './lib/fork/failure.js';

const EXAMPLES = ['orders', 'payments', 'products'];
const given = (...args: string[]) => answersFrom(parseFlags(args), EXAMPLES, undefined);

describe('the answers of a fork', () => {
  it('follow from its name', async () => {
    expect(await given('--name', 'acme-billing')).toEqual({
      name: 'acme-billing',
      title: 'Acme Billing',
      description: 'The backend of Acme Billing.',
      holder: 'The Acme Billing authors',
      removed: [],
    });
  });

  it.each([
    [['--keep', 'none'], EXAMPLES],
    [['--keep', 'all'], []],
    [
      ['--keep', 'products,users'],
      ['orders', 'payments'],
    ],
    [
      ['--remove', 'payments,orders'],
      ['orders', 'payments'],
    ],
  ])('%j removes %j', async (flags, removed) => {
    expect((await given('--name', 'acme', ...flags)).removed).toEqual(removed);
  });

  it('are asked for where somebody can be asked', async () => {
    const said: Record<string, string> = { Name: 'acme', Title: 'ACME', Keep: 'products' };
    const answers = await answersFrom(
      parseFlags(['--holder', 'Acme Inc.']),
      EXAMPLES,
      async (question, fallback) => said[/^\w+/.exec(question)![0]] ?? fallback,
    );

    expect(answers).toEqual({
      name: 'acme',
      title: 'ACME',
      description: 'The backend of ACME.',
      holder: 'Acme Inc.',
      removed: ['orders', 'payments'],
    });
  });

  it.each([
    [[], 'Give it a name'],
    [['--name', 'Acme Billing'], 'cannot be a name'],
    [['--name', 'acme', '--remove', 'order'], 'There are: orders, payments, products.'],
    [['--name', 'acme', '--keep', 'orders', '--remove', 'payments'], 'not both'],
    [['--nam', 'acme'], "Unknown option '--nam'"],
  ])('%j is rejected in one sentence: %s', async (flags, message) => {
    const failure = await Promise.resolve()
      .then(() => given(...flags))
      .catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(ForkFailure);
    expect((failure as Error).message).toContain(message);
  });
});
