import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

describe('the options of the bench', () => {
  it('measure five rounds of everything by default', () => {
    expect(readOptions([])).toMatchObject({ only: [], rounds: 5, seconds: 4, list: false });
  });

  it('take several names, in any form', () => {
    expect(readOptions(['--only', 'a,b', '--only', 'c']).only).toEqual(['a', 'b', 'c']);
  });

  it('run only the profiled workload, once and longer', () => {
    expect(readOptions(['--profile', 'a'])).toMatchObject({ only: ['a'], rounds: 1, seconds: 10 });
    expect(readOptions(['--profile', 'a', '--seconds', '3']).seconds).toBe(3);
  });

  it.each([[['--rounds', '0']], [['--seconds', '1.5']], [['--rounds', 'many']]])('reject %j', (args) => {
    expect(() => readOptions(args)).toThrow('must be a whole number above 0');
  });

  it('reject unknown options', () => {
    expect(() => readOptions(['--fast'])).toThrow('--fast');
  });
});
