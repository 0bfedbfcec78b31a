import { describe, expect, it } from 'vitest';
import type { Operation } from '../../history.ts';
import type { Verdict } from '../../invariant.ts';
import { COMMON, discoverInvariants } from '../../invariants/discover.ts';
import type { Final } from './final.ts';
import { operation, SMALL, smallHistory } from './small-history.ts';
import type { Judged } from './evidence.ts';

/** What these look at is in no history and no final state; invariants.spec.ts beside them breaks them. */
const OF_THE_RIG = [
  'liveness',
  'readiness',
  'readiness-reasons',
  'no-secret-logged',
  'no-unexpected-end',
  'well-formed-answers',
];
const OURS = (await discoverInvariants<Final>(COMMON, import.meta.dirname)).filter(
  ({ name }) => !OF_THE_RIG.includes(name),
);
const judge = (name: string, judged: Judged): Verdict =>
  OURS.find((invariant) => invariant.name === name)!.check(judged as never) as Verdict;

/** How the small history can be broken, by the invariant that has to notice. */
const BROKEN: Record<string, Record<string, (judged: Judged) => void>> = {
  acknowledged: {
    'a transfer is lost': ({ final }) => void final.transfers.pop(),
    'a withdrawal is lost': ({ final }) => void final.withdrawals.pop(),
    'a print is lost': ({ final }) => void final.prints.pop(),
    'a payee is lost': ({ final }) => void final.payees.pop(),
  },
  'one-effect-per-key': {
    'a key has two transfers': ({ final }) =>
      void final.transfers.push({ ...final.transfers[0]!, id: 'other' }),
    'a key has two withdrawals': ({ final }) =>
      void final.withdrawals.push({ ...final.withdrawals[0]!, id: 'other' }),
    'a key has two charges': ({ final }) => void final.charges.push({ ...final.charges[0]!, key: 'other' }),
    'another body took effect': ({ final }) => void final.forbidden.push(10),
    'another body was accepted': (judged) => add(judged, 'forged-transfer', 80, { key: 'k1' }),
  },
  'same-answer': {
    'a replay has another status': (judged) => change(judged, 'api-2', 'transfer', { status: 200 }),
    'a replay has another body': (judged) => change(judged, 'api-2', 'transfer', { body: '{}' }),
    'something else is recorded': ({ final }) => void (final.records[0]!.body = '{}'),
  },
  'whole-or-absent': {
    'a row has no recorded answer': ({ final }) => void final.records.shift(),
    'a recorded answer has no row': ({ final }) => void final.transfers.pop(),
    'a row has no event': ({ final }) => void (final.transfers[0]!.events = []),
    'a row has two events': ({ final }) => void final.transfers[0]!.events.push('second'),
    'a recorded answer is about another row': ({ final }) => void (final.records[0]!.body = '{"id":"x"}'),
    'a refused write took effect': ({ history }) => {
      for (const attempt of history)
        if (attempt.key === 'k2') Object.assign(attempt, { outcome: 'refused', status: 503 });
    },
    'a transfer comes from nowhere': ({ final }) =>
      void final.transfers.push({ ...final.transfers[0]!, id: 'x', parts: [{ to: 'b', amount: 77 }] }),
  },
  'money-conserved': {
    'money is lost': ({ final }) => void (final.accounts[1]!.balance = 0),
    'money is made': ({ final }) => void (final.accounts[1]!.balance = 11),
    'money is in the wrong account': ({ final }) => {
      final.accounts[0]!.balance = 89;
      final.accounts[1]!.balance = 11;
    },
    'the bank has paid more': ({ final }) => void (final.charges[0]!.amount = 21),
  },
  'paid-once': {
    'a declined withdrawal was paid': ({ final }) => void (final.withdrawals[0]!.status = 'declined'),
    'a withdrawal that succeeded was not paid': ({ final }) => void final.charges.pop(),
    'another amount was paid': ({ final }) => void (final.charges[0]!.amount = 1),
    'something unknown was paid': ({ final }) =>
      void final.charges.push({ ...final.charges[0]!, key: 'unknown' }),
    'it was paid twice': ({ final }) => void (final.charges[0]!.times = 2),
  },
  'linearizable-accounts': {
    'a change shows money that was not there': (judged) =>
      change(judged, 'api-1', 'change', { value: { version: 3, balance: 91, name: 'second' } }),
    'two changes had the same version': (judged) => {
      const value = { version: 3, balance: 90, name: 'other' };
      add(judged, 'change', 80, { object: 'a', input: { name: 'other', version: 2 }, value });
    },
    'a change was refused although its version was right': (judged) =>
      add(judged, 'change', 80, {
        object: 'a',
        input: { name: 'x', version: 3 },
        outcome: 'refused',
        status: 412,
      }),
    'an acknowledged change is gone': ({ final }) =>
      void Object.assign(final.accounts[0]!, { version: 2, name: 'first' }),
    'a change has an effect after its refusal': ({ final }) => void (final.accounts[0]!.name = 'third'),
  },
  'cached-reads': {
    'a version has two contents': (judged) => read(judged, 80, { version: 3, balance: 91, name: 'second' }),
    'a version never existed': (judged) => read(judged, 80, { version: 4, balance: 90, name: 'second' }),
    'a process goes back': (judged) => read(judged, 80, { version: 2, balance: 90, name: 'first' }),
    'an old version is shown for too long': (judged) =>
      read(judged, 72_000, { version: 2, balance: 90, name: 'first', process: 'api-2 9' }),
  },
  'fresh-reads': {
    'a transfer is not found': (judged) =>
      add(judged, 'read-transfer', 80, { object: SMALL.TRANSFER, outcome: 'refused', status: 404 }),
    'a list lacks a transfer': (judged) => change(judged, 'api-1', 'list-transfers', { value: [] }),
    'a list has one twice': (judged) =>
      change(judged, 'api-1', 'list-transfers', { value: [SMALL.TRANSFER, SMALL.TRANSFER] }),
    'a statement ends too early': (judged) =>
      change(judged, 'api-1', 'statement', { value: 'transfer,amount\r\n' }),
    'a statement is cut within a line': (judged) =>
      change(judged, 'api-1', 'statement', { value: `transfer,amount\r\n${SMALL.TRANSFER},1` }),
    'a statement has another amount': (judged) =>
      change(judged, 'api-1', 'statement', { value: `transfer,amount\r\n${SMALL.TRANSFER},1\r\n` }),
    'a list lacks a payee': (judged) => change(judged, 'api-1', 'list-payees', { value: [] }),
  },
  'sessions-ended': {
    'a token of an ended session works': (judged) =>
      add(judged, 'refresh', 80, { object: 'session 2', input: { token: 0, expected: 'rejected' } }),
  },
  'sessions-kept': {
    'a retry logs out': (judged) =>
      add(judged, 'refresh', 80, {
        object: 'session 1',
        input: { token: 0, expected: 'accepted' },
        outcome: 'refused',
        status: 401,
      }),
  },
  'events-once': {
    'an event was not handled': ({ final }) => void (final.transfers[0]!.receipts = []),
    'an event was handled twice': ({ final }) => void final.transfers[0]!.receipts.push(10),
    'a mail is missing': ({ final }) => void final.mails.pop(),
    'a mail is about nothing': ({ final }) => void final.mails.push('unknown'),
    'a print was made twice': ({ final }) => void (final.prints[0]!.copies = 2),
    'a print was not made': ({ final }) => void (final.prints[0]!.copies = 0),
    'a payee was not checked': ({ final }) => void (final.payees[0]!.checks = 0),
  },
  'no-dead-letters': {
    'an event is a dead letter': ({ final }) => void final.deadLetters.push({ name: 'x', reason: 'y' }),
  },
  'works-again': {
    'an api does not write': (judged) =>
      change(judged, 'api-2', 'transfer', { outcome: 'unknown', status: 503 }),
    'an api does not read': (judged) =>
      change(judged, 'api-2', 'read-account', { outcome: 'unknown', status: 503 }),
    'an api keeps a broken connection': ({ final }) => void final.refusing.push('api-1'),
    'a worker does nothing': ({ final }) => void final.workersAtWork.pop(),
    'a key has no answer': ({ final }) => {
      final.writes.push({ ...final.writes[0]!, key: 'k3', settled: false });
    },
  },
};

function add({ history }: Judged, kind: string, at: number, more: Partial<Operation>): void {
  (history as Operation[]).push(operation(kind, at, more));
}

/** The latest operation of this kind at this api. */
function change({ history }: Judged, at: string, kind: string, more: Partial<Operation>): void {
  const latest = (one: Operation): boolean =>
    one.at === at && one.kind === kind && one.outcome === 'ok' && one.invokedAt !== 70;
  const found = history.findLast(latest) ?? history.findLast((one) => one.at === at && one.kind === kind);
  Object.assign(found!, more);
}

function read(judged: Judged, at: number, seen: object): void {
  const value = { stale: false, process: 'api-1 7', ...seen };
  add(judged, 'read-account', at, { object: 'a', value });
}

describe.each(OURS)('$name', ({ name }) => {
  it('holds, and has counted something, when nothing went wrong', () => {
    const { violations, counted } = judge(name, smallHistory());
    expect(violations).toEqual([]);
    expect(counted).toMatch(/[1-9]/);
  });

  it.each(Object.entries(BROKEN[name] ?? {}))('is broken when %s', (_, breakIt) => {
    const judged = smallHistory();
    breakIt(judged);
    expect(judge(name, judged).violations).not.toEqual([]);
  });

  it('has an example of how it is broken', () => {
    expect(BROKEN[name]).toBeDefined();
  });
});

describe('what proves nothing', () => {
  it('is a stale answer that is older', () => {
    const judged = smallHistory();
    read(judged, 80, { version: 2, balance: 90, name: 'first', stale: true });
    expect(judge('cached-reads', judged).violations).toEqual([]);
  });

  it('is a change that was never answered, whether it took effect or not', () => {
    const change = { object: 'a', input: { name: 'fourth' }, outcome: 'unknown' } as const;
    const without = smallHistory();
    add(without, 'change', 80, { ...change, status: undefined, completedAt: undefined });
    expect(judge('linearizable-accounts', without).violations).toEqual([]);
    const withIt = smallHistory();
    add(withIt, 'change', 80, { ...change, status: undefined, completedAt: undefined });
    Object.assign(withIt.final.accounts[0]!, { version: 4, name: 'fourth' });
    expect(judge('linearizable-accounts', withIt).violations).toEqual([]);
  });
});
