import type { Operation } from '../../history.ts';
import type { Judged } from './evidence.ts';

const TRANSFER = '019aa000-0000-7000-8000-000000000001';
const WITHDRAWAL = '019aa000-0000-7000-8000-000000000002';
const EVENT = '019aa000-0000-7000-8000-00000000000e';
export const SMALL = { TRANSFER, WITHDRAWAL, EVENT };

let ids = 0;

/** An operation that was answered 200 at `api-1`. @param at when it began; it took one millisecond */
export function operation(kind: string, at: number, more: Partial<Operation> = {}): Operation {
  ids += 1;
  const common = { client: 'somebody', at: 'api-1', input: {}, outcome: 'ok', status: 200 } as const;
  return { id: ids, kind, invokedAt: at, completedAt: at + 1, ...common, ...more };
}

/** The history of a run in which nothing went wrong: a transfer of 10, sent twice, and a withdrawal of 20. */
export function smallHistory(): Judged {
  const transfer = { id: TRANSFER, from: 'a', parts: [{ to: 'b', amount: 10 }] };
  const withdrawal = { id: WITHDRAWAL, accountId: 'c', status: 'succeeded', amount: 20 };
  const made = {
    key: 'k1',
    object: 'a',
    status: 201,
    value: transfer,
    body: JSON.stringify(transfer),
    client: 'afterwards',
  };
  const seen = { version: 2, balance: 90, name: 'first', stale: false, process: 'api-1 7' };
  const afterwards = { client: 'afterwards' };
  return {
    history: [
      operation('transfer', 1, { ...made, outcome: 'unknown', status: undefined, completedAt: 5 }),
      operation('transfer', 10, made),
      operation('transfer', 20, { ...made, at: 'api-2' }),
      operation('forged-transfer', 22, { key: 'k1', outcome: 'refused', status: 422 }),
      operation('withdraw', 25, {
        key: 'k2',
        status: 201,
        value: withdrawal,
        body: JSON.stringify(withdrawal),
      }),
      operation('print', 30, { value: 'p1' }),
      operation('payee', 31, { value: 'q1', object: 'me', input: { name: 'Grace' } }),
      operation('read-account', 35, { object: 'a', value: seen }),
      operation('change', 40, {
        object: 'a',
        input: { name: 'second', version: 2 },
        value: { ...seen, version: 3, name: 'second' },
      }),
      operation('change', 45, {
        object: 'a',
        input: { name: 'third', version: 2 },
        outcome: 'refused',
        status: 412,
      }),
      operation('read-account', 50, { object: 'a', value: { ...seen, version: 3, name: 'second' } }),
      operation('read-transfer', 55, { object: TRANSFER }),
      operation('list-transfers', 56, { object: 'me', input: { limit: 5 }, value: [TRANSFER] }),
      operation('statement', 57, { object: 'a', value: `transfer,amount\r\n${TRANSFER},10\r\n` }),
      operation('list-payees', 58, { object: 'me', value: ['Grace'] }),
      operation('refresh', 60, { object: 'session 1', input: { token: 0, expected: 'accepted' } }),
      operation('refresh', 62, {
        object: 'session 2',
        input: { token: 0, expected: 'rejected' },
        outcome: 'refused',
        status: 401,
      }),
      ...['api-1', 'api-2'].flatMap((at) => [
        operation('read-account', 70, { ...afterwards, at }),
        operation('list-transfers', 70, { ...afterwards, at }),
      ]),
    ],
    final: {
      accounts: [
        { id: 'a', name: 'second', balance: 90, version: 3 },
        { id: 'b', name: 'first', balance: 10, version: 2 },
        { id: 'c', name: 'first', balance: 30, version: 2 },
      ],
      transfers: [{ ...transfer, events: [EVENT], receipts: [10] }],
      withdrawals: [withdrawal],
      charges: [{ key: WITHDRAWAL, amount: 20, status: 'succeeded', reference: 'c', times: 1 }],
      prints: [{ id: 'p1', copies: 1 }],
      payees: [{ id: 'q1', name: 'Grace', checks: 1 }],
      records: [
        { key: 'k1', status: 201, body: JSON.stringify(transfer) },
        { key: 'k2', status: 201, body: JSON.stringify(withdrawal) },
      ],
      mails: [EVENT],
      deadLetters: [],
      announced: 3,
      opening: [
        { id: 'a', owner: 'me', name: 'first', opening: 100 },
        { id: 'b', owner: 'me', name: 'first', opening: 0 },
        { id: 'c', owner: 'me', name: 'first', opening: 50 },
      ],
      hot: ['a', 'b'],
      writes: [
        {
          key: 'k1',
          kind: 'transfer',
          from: 'a',
          path: '',
          body: { from: 'a', parts: transfer.parts },
          amount: 10,
          settled: true,
        },
        { key: 'k2', kind: 'withdraw', from: 'c', path: '', body: { amount: 20 }, amount: 20, settled: true },
      ],
      forbidden: [11],
      sessions: [],
      workersAtWork: ['worker-1', 'worker-2'],
      refusing: [],
      secrets: [],
    },
  };
}
