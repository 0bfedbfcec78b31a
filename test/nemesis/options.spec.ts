import { describe, expect, it } from 'vitest';
import { UsageError } from '../../local/run-options.ts';
import { parseNemesisOptions } from './options.ts';

const parse = (...args: string[]) => parseNemesisOptions(['--nemesis', ...args], 'reports');

describe('the options of npm run verify -- --nemesis', () => {
  it('are by default one schedule of a minute with a fresh seed, of all faults', () => {
    expect(parse()).toMatchObject({
      seed: undefined,
      minutes: undefined,
      schedules: undefined,
      seconds: 60,
      product: 'ledger',
      only: [],
      without: [],
      env: {},
      reports: 'reports',
    });
  });

  it('choose seed, length, faults and settings', () => {
    expect(
      parse('--seed', '42', '--minutes', '1.5', '--only', 'a,b', '--without', 'c', '--env', 'A=x=y'),
    ).toMatchObject({ seed: 42, minutes: 1.5, only: ['a', 'b'], without: ['c'], env: { A: 'x=y' } });
  });

  it.each([
    [['--seed', 'x'], '--seed must be a whole number of at least 0 and at most 4294967295, not "x"'],
    [['--seed', '4294967296'], '--seed must be'],
    [['--schedules', '0'], '--schedules must be a whole number of at least 1, not "0"'],
    [['--minutes', ''], '--minutes must be a number of at least 0.1, not ""'],
    [['--env', 'NAME'], '--env must be NAME=VALUE'],
    [['--frobnicate'], "Unknown option '--frobnicate'"],
  ])('are rejected with a reason when they are invalid: %j', (args, message) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(message);
  });
});
