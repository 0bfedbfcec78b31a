import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { alternate } from './alternate.ts';
import { Bench } from './bench.ts';
import { PRODUCTS } from '../products/index.ts';
import { Progress } from '../../local/progress.ts';

it('measures two sides in turn, each of them first in every other turn', async () => {
  const progress = new Progress(undefined, new PassThrough() as unknown as NodeJS.WriteStream);
  const bench = new Bench({ subject: PRODUCTS[0]!, rounds: 2, seconds: 4, progress });
  const order: string[] = [];
  const side = (name: string) => ({
    name,
    measure: () => Promise.resolve(order.push(name)),
  });
  const measured = await alternate(bench, [side('a'), side('b')], bench.turnsOf(2));
  expect(order.join('')).toBe('abbaabba');
  expect(measured).toEqual([
    [1, 4, 5, 8],
    [2, 3, 6, 7],
  ]);
});
