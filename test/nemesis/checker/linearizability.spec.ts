import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { explain } from './explain.ts';
import { checkLinearizable } from './linearizability.ts';
import { account, register } from './model.ts';
import type { AccountInput, AccountOutput, Call, RegisterInput, RegisterOutput } from './model.ts';
import { linearizableByTryingAll, simulate } from './simulated.ts';

type RegisterCall = Call<RegisterInput<number>, RegisterOutput<number>>;
type AccountCall = Call<AccountInput, AccountOutput>;

const from = (invokedAt: number, completedAt?: number): { invokedAt: number; completedAt?: number } =>
  completedAt === undefined ? { invokedAt } : { invokedAt, completedAt };

function write(value: number, ...time: [number, number?]): RegisterCall {
  return { input: { kind: 'write', value }, output: { written: true }, ...from(...time) };
}

function read(value: number, ...time: [number, number?]): RegisterCall {
  return { input: { kind: 'read' }, output: { value }, ...from(...time) };
}

function cas(
  expected: number,
  value: number,
  swapped: boolean | undefined,
  ...time: [number, number?]
): RegisterCall {
  const output = swapped === undefined ? undefined : { swapped };
  return { input: { kind: 'compare-and-set', expected, value }, output, ...from(...time) };
}

function add(amount: number, done: boolean | undefined, ...time: [number, number?]): AccountCall {
  return {
    input: { kind: 'add', amount },
    output: done === undefined ? undefined : { done },
    ...from(...time),
  };
}

function balance(found: number, ...time: [number, number?]): AccountCall {
  return { input: { kind: 'read' }, output: { balance: found }, ...from(...time) };
}

const ofRegister = (calls: RegisterCall[]): string => checkLinearizable(register(0), calls).verdict;
const ofAccount = (calls: AccountCall[], initial = 100): string =>
  checkLinearizable(account(initial), calls).verdict;

describe('a register', () => {
  it.each<[string, RegisterCall[]]>([
    ['nothing happened', []],
    ['a read of what was written', [write(1, 0, 1), read(1, 2, 3)]],
    ['a read beside a write finds either value', [write(1, 0, 10), read(0, 1, 2), read(1, 3, 4)]],
    ['writes at the same time, in either order', [write(1, 0, 10), write(2, 0, 10), read(1, 11, 12)]],
    ['an unanswered write that never took effect', [write(1, 0), read(0, 5, 6), read(0, 7, 8)]],
    ['an unanswered write that took effect late', [write(1, 0), read(0, 5, 6), read(1, 700, 701)]],
    [
      'an unanswered write after an answered one',
      [write(1, 0), write(2, 2, 3), read(2, 4, 5), read(1, 6, 7)],
    ],
    ['a compare-and-set that found its value', [write(1, 0, 1), cas(1, 2, true, 2, 3), read(2, 4, 5)]],
    ['a compare-and-set that did not', [write(1, 0, 1), cas(5, 2, false, 2, 3), read(1, 4, 5)]],
    ['one of two compare-and-sets wins', [cas(0, 1, true, 0, 10), cas(0, 2, false, 0, 10), read(1, 11, 12)]],
    [
      'an answered operation that only an unanswered one explains',
      [cas(0, 1, undefined, 0), cas(1, 2, true, 5, 6), read(2, 7, 8)],
    ],
    ['events at the same moment count as concurrent', [write(1, 0, 5), read(0, 5, 6)]],
  ])('may have: %s', (_, calls) => {
    expect(ofRegister(calls)).toBe('linearizable');
    expect(linearizableByTryingAll(register(0), calls)).toBe(true);
  });

  it.each<[string, RegisterCall[]]>([
    ['a stale read', [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)]],
    ['a read of a value that nobody wrote', [write(1, 0, 1), read(7, 2, 3)]],
    ['a write that vanishes after it was read', [write(1, 0), read(1, 2, 3), read(0, 4, 5)]],
    ['an effect before the invocation', [read(1, 0, 1), write(1, 2, 3)]],
    ['an effect of an unanswered write before its invocation', [read(1, 0, 1), write(1, 2)]],
    ['two winners of one compare-and-set', [cas(0, 1, true, 0, 10), cas(0, 2, true, 0, 10)]],
    ['a compare-and-set that lost against nobody', [cas(0, 1, false, 0, 1)]],
    [
      'an unanswered write that took effect twice',
      [write(1, 0), read(1, 2, 3), write(2, 4, 5), read(1, 6, 7)],
    ],
    [
      'two readers who disagree about the order',
      [write(1, 0, 20), write(2, 0, 20), read(1, 21, 22), read(2, 23, 24)],
    ],
  ])('may not have: %s', (_, calls) => {
    expect(ofRegister(calls)).toBe('not linearizable');
    expect(linearizableByTryingAll(register(0), calls)).toBe(false);
  });
});

describe('an account', () => {
  it.each<[string, AccountCall[]]>([
    ['additions at the same time', [add(5, true, 0, 9), add(7, true, 0, 9), balance(112, 10, 11)]],
    ['a refusal for want of money', [add(-150, false, 0, 1), balance(100, 2, 3)]],
    ['a refusal before the money came', [add(-150, false, 0, 9), add(60, true, 0, 9), balance(160, 10, 11)]],
    [
      'an unanswered addition that took effect late',
      [add(5, undefined, 0), balance(100, 5, 6), balance(105, 90, 91)],
    ],
    [
      'three unanswered additions, of which two took effect',
      [add(1, undefined, 0), add(2, undefined, 0), add(4, undefined, 0), balance(105, 5, 6)],
    ],
  ])('may have: %s', (_, calls) => {
    expect(ofAccount(calls)).toBe('linearizable');
    expect(linearizableByTryingAll(account(100), calls)).toBe(true);
  });

  it.each<[string, AccountCall[]]>([
    ['a lost update', [add(5, true, 0, 9), add(7, true, 0, 9), balance(107, 10, 11)]],
    ['a double effect', [add(5, true, 0, 1), balance(110, 2, 3)]],
    ['an unanswered addition with a double effect', [add(5, undefined, 0), balance(110, 2, 3)]],
    ['a refused addition that took effect', [add(-150, false, 0, 1), balance(-50, 2, 3)]],
    ['an acknowledged addition that is gone', [add(5, true, 0, 1), balance(105, 2, 3), balance(100, 4, 5)]],
    ['more than there was', [add(-60, true, 0, 9), add(-60, true, 0, 9)]],
  ])('may not have: %s', (_, calls) => {
    expect(ofAccount(calls)).toBe('not linearizable');
    expect(linearizableByTryingAll(account(100), calls)).toBe(false);
  });

  it('must have what is known from elsewhere to have taken effect, at some time', () => {
    const late = { ...add(5, undefined, 0), tookEffect: true };
    expect(ofAccount([late, balance(100, 5, 6), balance(105, 7, 8)])).toBe('linearizable');
    expect(ofAccount([late, balance(100, 5, 6)])).toBe('linearizable');
    const tooMuch = { ...add(-150, undefined, 0), output: { done: true }, tookEffect: true };
    expect(ofAccount([tooMuch, balance(100, 5, 6)])).toBe('not linearizable');
  });
});

describe('the explanation', () => {
  it('ends with the first answer that nothing explains, with what was open and which states were possible', () => {
    const wrong = read(9, 20, 21);
    const unanswered = write(3, 5);
    const concurrent = write(4, 20, 30);
    const answer = checkLinearizable(register(0), [
      write(1, 0, 1),
      write(2, 2, 3),
      unanswered,
      wrong,
      concurrent,
      read(77, 100, 101),
    ]);
    if (answer.verdict !== 'not linearizable') throw new Error(answer.verdict);
    expect(answer.failure).toEqual({
      call: wrong,
      answered: 2,
      open: [concurrent, unanswered],
      possible: [2],
    });
  });

  it('reads as sentences', () => {
    const answer = checkLinearizable(register(0), [
      write(1, 0, 1),
      write(2, 5),
      read(9, 20, 21),
      read(1, 20, 40),
    ]);
    const text = explain(answer, register(0), ({ input: { kind } }) => `a ${kind}`);
    expect(text).toBe(
      'nothing explains the answer to a read (20 to 21 ms): after the 1 answers before it the state was 1; ' +
        'also open: a read (20 to 40 ms), a write (5 ms, unanswered)',
    );
  });

  it('says that nothing was decided when the budget is spent', () => {
    const calls = Array.from({ length: 26 }, (_, i) => add(2 ** i, undefined, 0));
    const answer = checkLinearizable(account(0.5), [...calls, balance(3, 5, 6)], 10_000);
    expect(answer).toEqual({ verdict: 'undecided', steps: 10_000, decided: 0 });
  });
});

/** The same numbers in every run: a failure is repeatable. */
const seeds = Array.from({ length: 10 }, (_, i) => i + 1);
const scale = { clients: 6, operations: 500, unanswered: 20 };

function registerHistory(seed: number): RegisterCall[] {
  return simulate<number, RegisterInput<number>, RegisterOutput<number>>(
    register(0),
    (state, input) =>
      input.kind === 'read'
        ? { value: state }
        : input.kind === 'write'
          ? { written: true }
          : { swapped: input.expected === state },
    {
      ...scale,
      random: new Random(seed),
      draw: (random) => {
        const value = random.integer(0, 20);
        return random.pick<RegisterInput<number>>([
          { kind: 'read' },
          { kind: 'write', value },
          { kind: 'compare-and-set', expected: random.integer(0, 20), value },
        ]);
      },
    },
  );
}

function accountHistory(seed: number, special: (index: number) => number | undefined): AccountCall[] {
  return simulate<number, AccountInput, AccountOutput>(
    account(20_000),
    (state, input) => (input.kind === 'read' ? { balance: state } : { done: state + input.amount >= 0 }),
    {
      ...scale,
      random: new Random(seed),
      draw: (random, index) => {
        const amount = random.integer(-499, 499) * 2;
        const kind = random.chance(0.4) ? 'read' : 'add';
        const given = special(index);
        return given !== undefined
          ? { kind: 'add', amount: given }
          : kind === 'read'
            ? { kind }
            : { kind, amount };
      },
    },
  );
}

describe('500 operations of 6 clients, 20 of them unanswered', () => {
  it.each(seeds)('are accepted of a register that behaves, seed %i', (seed) => {
    expect(ofRegister(registerHistory(seed))).toBe('linearizable');
  });

  it.each(seeds)('are refused of a register with one read of a value that nobody wrote, seed %i', (seed) => {
    const calls = registerHistory(seed);
    const reads = calls.filter(({ input, output }) => input.kind === 'read' && output !== undefined);
    const wrong = new Random(seed).pick(reads);
    wrong.output = { value: 99 };
    const answer = checkLinearizable(register(0), calls);
    expect(answer).toMatchObject({ verdict: 'not linearizable', failure: { call: wrong } });
  });

  it.each(seeds)('are accepted of an account that behaves, seed %i', (seed) => {
    expect(
      ofAccount(
        accountHistory(seed, () => undefined),
        20_000,
      ),
    ).toBe('linearizable');
  });

  // One addition is told from all others by its last digit, so that no unanswered one can take its place.
  it.each(seeds.flatMap((seed) => [[seed, 'lost'] as const, [seed, 'doubled'] as const]))(
    'are refused of an account, seed %i, with one effect %s',
    (seed, what) => {
      const calls = accountHistory(seed, (index) => (index === 250 ? 1 : undefined));
      const planted = calls[250]!;
      planted.output = { done: true };
      planted.completedAt = planted.invokedAt + 1;
      const shift = what === 'lost' ? -1 : 1;
      for (const { input, output, invokedAt } of calls) {
        if (input.kind === 'read' && output && 'balance' in output && invokedAt > planted.completedAt)
          output.balance += shift;
      }
      expect(ofAccount(calls, 20_000)).toBe('not linearizable');
    },
  );
});

describe('every short history', () => {
  it('is judged as by trying all orders', () => {
    const random = new Random(20_261_122);
    const verdicts = { linearizable: 0, 'not linearizable': 0, undecided: 0 };
    for (let round = 0; round < 4_000; round += 1) {
      const calls = Array.from({ length: random.integer(2, 6) }, () => {
        const invokedAt = random.integer(0, 12);
        const answered = random.chance(0.7);
        const time: [number, number?] = answered
          ? [invokedAt, invokedAt + random.integer(0, 8)]
          : [invokedAt];
        const value = random.integer(0, 2);
        const call = random.pick([
          () => read(value, ...time),
          () => write(value, ...time),
          () => cas(random.integer(0, 2), value, random.chance(0.6), ...time),
        ])();
        if (!answered) {
          if (random.chance(0.7)) delete call.output;
          call.tookEffect = random.chance(0.3);
        }
        return call;
      });
      const { verdict } = checkLinearizable(register(0), calls);
      verdicts[verdict] += 1;
      expect(verdict === 'linearizable', JSON.stringify(calls)).toBe(
        linearizableByTryingAll(register(0), calls),
      );
    }
    expect(verdicts.undecided).toBe(0);
    expect(Math.min(verdicts.linearizable, verdicts['not linearizable'])).toBeGreaterThan(500);
  });

  it('of an account is judged as by trying all orders', () => {
    const random = new Random(4_711);
    for (let round = 0; round < 4_000; round += 1) {
      const calls = Array.from({ length: random.integer(2, 6) }, () => {
        const invokedAt = random.integer(0, 12);
        const answered = random.chance(0.65);
        const time: [number, number?] = answered
          ? [invokedAt, invokedAt + random.integer(0, 8)]
          : [invokedAt];
        const call = random.chance(0.4)
          ? balance(random.integer(0, 6), ...time)
          : add(random.integer(-3, 3), answered ? random.chance(0.7) : undefined, ...time);
        if (!answered) call.tookEffect = random.chance(0.3);
        return call;
      });
      const { verdict } = checkLinearizable(account(3), calls);
      expect(verdict === 'linearizable', JSON.stringify(calls)).toBe(
        linearizableByTryingAll(account(3), calls),
      );
    }
  });
});
