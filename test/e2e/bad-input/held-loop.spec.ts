import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { startThreadClient, type ThreadAnswer, type ThreadClient } from './own-thread-client.js';
import type { ProblemBody } from './refusals.js';
import { newUser } from '../../factories/users.js';

/**
 * A server has one thread for all clients: what one request computes without a break, all others wait. What is measured is the CPU
 * time of this thread from the request to its answer, which is an upper bound of any break-less part of it, and which the other
 * work of a busy machine does not stretch as it does the clock.
 */
const LONGEST_MS = 25;
const ATTEMPTS = 10;

const ID = '019aa000-0000-7000-8000-000000000000';

let ledger: LedgerUnderTest;
let client: ThreadClient;
let token: string;
let limit: number;

beforeAll(async () => {
  ledger = await startLedger();
  client = startThreadClient();
  limit = ledger.settings.http.bodyLimitBytes;
  token = (await newUser(ledger)).accessToken;
});

afterAll(async () => {
  await client?.stop();
  await ledger?.stop();
});

/** The routes that take a body, with the members that they know. */
const routes: [method: string, path: string, members: string[]][] = [
  ['POST', '/v1/auth/register', ['email', 'password', 'name']],
  ['POST', '/v1/auth/login', ['email', 'password']],
  ['POST', '/v1/auth/refresh', ['refreshToken']],
  ['PATCH', '/v1/users/me', ['name']],
  ['POST', '/v1/accounts', ['name', 'note', 'balance']],
  ['PATCH', `/v1/accounts/${ID}`, ['name', 'note']],
  ['POST', '/v1/transfers', ['from', 'parts']],
  ['POST', `/v1/accounts/${ID}/withdrawals`, ['amount', 'method']],
  ['POST', '/v1/nothing', ['a']],
];

/** As many pieces as fit between two ends into a body of the largest size that is allowed. */
function filled(start: string, piece: (index: number) => string, end: string, separator = ','): string {
  const pieces: string[] = [];
  let room = limit - Buffer.byteLength(start + end);
  for (let index = 0; ; index += 1) {
    const next = piece(index);
    room -= Buffer.byteLength(next) + separator.length;
    if (room < 0) return start + pieces.join(separator) + end;
    pieces.push(next);
  }
}

const nested = (open: string, close: string, levels = Math.floor(limit / (open.length + close.length)) - 1) =>
  open.repeat(levels) + close.repeat(levels);

const wide: Record<string, () => string> = {
  'short members': () => filled('{', (n) => `"${n.toString(36)}":0`, '}'),
  'long members': () => filled('{', (n) => `"${'m'.repeat(500)}${n}":0`, '}'),
  'one member with a name of the size of the body': () => `{"${'m'.repeat(limit - 10)}":0}`,
  'objects without members': () => filled('{', (n) => `"${n.toString(36)}":{}`, '}'),
  'wide objects in a wide object': () =>
    filled('{', (n) => `"${n}":{${Array.from({ length: 100 }, (_, m) => `"${m}":0`).join(',')}}`, '}'),
  'names with half a surrogate pair': () => filled('{', (n) => `"\\ud800${n}":0`, '}'),
  'integers as names': () => filled('{', (n) => `"${4_000_000_000 - n * 7}":0`, '}'),
  'a list as the whole': () => filled('[', () => '{}', ']'),
  'a prototype behind thousands of members': () =>
    filled('{', (n) => `"${n.toString(36)}":{}`, ',"a":{"constructor":{"prototype":0}}}'),
};

const deep: Record<string, () => string> = {
  lists: () => nested('[', ']'),
  'lists without an end': () => '['.repeat(limit - 1),
  objects: () => `${nested('{"a":', '}').replace('}', '0}')}`,
  'lists with neighbours': () => nested('[0,', '0]'),
  'names of prototypes on every level': () =>
    `${nested('{"constructor":', '}', Math.floor(limit / 16) - 2).replace('}', '0}')}`,
};

/** As the value of a member that is known. */
const valued: Record<string, () => string> = {
  'a long text': () => `"${'a'.repeat(limit - 100)}"`,
  'a text of spaces': () => `"${' '.repeat(limit - 100)}"`,
  'a text of dots': () => `"a@${'a.'.repeat(limit / 2 - 100)}com"`,
  'a text of at signs': () => `"${'@'.repeat(limit - 100)}"`,
  'a text of angle brackets': () => `"${'<'.repeat(limit - 100)}"`,
  'a text of quotes': () => `"${String.raw`\"`.repeat(limit / 2 - 100)}"`,
  'a text of digits': () => `"${'0'.repeat(limit - 100)}"`,
  'a text of half surrogate pairs': () => `"${String.raw`\ud800`.repeat(limit / 6 - 100)}"`,
  'a text of NULs': () => `"${String.raw`\u0000`.repeat(limit / 6 - 100)}"`,
  'a number with many digits': () => '9'.repeat(limit - 100),
  'a list of numbers': () =>
    filled('[', () => '0', ']')
      .slice(0, -100)
      .replace(/,0?$/, ']'),
  'a list of objects': () =>
    `[${Array(Math.floor(limit / 3) - 50)
      .fill('{}')
      .join(',')}]`,
  'a list of lists': () =>
    `[${Array(Math.floor(limit / 3) - 50)
      .fill('[]')
      .join(',')}]`,
  'a list of nested lists': () =>
    `[${Array(Math.floor(limit / 21) - 50)
      .fill('[[[[[[[[[[]]]]]]]]]]')
      .join(',')}]`,
  'a list of well-formed items': () =>
    `[${Array(Math.floor(limit / 66) - 50)
      .fill(`{"to":"${ID}","amount":1}`)
      .join(',')}]`,
  'a list of items with unknown members': () =>
    `[${Array(Math.floor(limit / 66) - 50)
      .fill('{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0}')
      .join(',')}]`,
  'a deep list': () => nested('[', ']', limit / 2 - 50),
  'a wide object': () => `{${Array.from({ length: limit / 10 - 100 }, (_, n) => `"${n}":0`).join(',')}}`,
};

/** CPU milliseconds of this thread, which serves, until the answer; the best of some, as garbage is collected at any time. */
async function heldBy(request: Parameters<ThreadClient['send']>[0]): Promise<[number, ThreadAnswer]> {
  let best = Infinity;
  for (let attempt = 1; ; attempt += 1) {
    const before = process.threadCpuUsage();
    const answer = await client.send(request);
    const { user, system } = process.threadCpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
    if (best < LONGEST_MS || attempt === ATTEMPTS) return [best, answer];
  }
}

async function expectShort(method: string, path: string, body: string): Promise<void> {
  assert.ok(Buffer.byteLength(body) <= limit, `the test sends ${Buffer.byteLength(body)} bytes`);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'idempotency-key': 'held-loop',
    'if-match': '*',
  };
  const [heldMs, { status, text }] = await heldBy({ url: ledger.url + path, method, headers, body });
  const what = `${method} ${path}: ${text.slice(0, 200)}`;
  assert.ok(status >= 400 && status < 500, `${status} ${what}`);
  assert.ok(heldMs < LONGEST_MS, `held the loop for ${heldMs} ms; ${what}`);
  expect(text.length, what).toBeLessThan(20_000);
  expect((JSON.parse(text) as ProblemBody).errors?.length ?? 0).toBeLessThanOrEqual(50);
}

describe('No body of the allowed size blocks the event loop or causes an answer of its size', () => {
  it.each(Object.entries({ ...wide, ...deep }))('%s', async (_, text) => {
    for (const [method, path] of routes) await expectShort(method, path, text());
  });

  it.each(Object.entries(valued))('%s in a member that is known', async (_, value) => {
    for (const [method, path, members] of routes)
      for (const member of members) await expectShort(method, path, `{"${member}":${value()}}`);
  });

  it('a member that is known, thousands of times', async () => {
    for (const [method, path, [member = '']] of routes)
      await expectShort(
        method,
        path,
        filled('{', () => `"${member}":[{}]`, '}'),
      );
  });

  it('a body that breaks off', async () => {
    for (const [method, path] of routes)
      await expectShort(
        method,
        path,
        filled('{', (n) => `"${n}":{}`, ''),
      );
  });
});

describe('No query or header blocks the event loop', () => {
  const LONGEST_HEADERS = 15_000;
  const repeated = (piece: (index: number) => string, separator: string) => {
    const pieces: string[] = [];
    for (let size = 0; size < LONGEST_HEADERS; size += (pieces.at(-1) ?? '').length + separator.length)
      pieces.push(piece(pieces.length));
    return pieces.join(separator);
  };

  it.each<[string, string, Record<string, string>]>([
    ['a query of many parameters', `?${repeated((n) => n.toString(36), '&')}`, {}],
    ['a query of one parameter many times', `?${repeated(() => 'limit', '&')}`, {}],
    ['a query of percent signs', `?cursor=${repeated(() => '%25', '')}`, {}],
    ['a list of media types', '', { accept: repeated(() => 'a/b;q=0', ',') }],
    ['a list of entity tags', '', { 'if-none-match': repeated(() => '"a"', ',') }],
    ['quotes without an end', '', { 'if-none-match': repeated(() => 'W/"', '') }],
    ['a long token', '', { authorization: `Bearer ${repeated(() => 'a.', '')}` }],
    ['a list of cookies', '', { cookie: repeated((n) => `a${n}=b`, ';') }],
  ])('%s', async (_, query, headers) => {
    for (const path of ['/v1/accounts', '/v1/transfers']) {
      const authorization = `Bearer ${token}`;
      const url = ledger.url + path + query;
      const [heldMs, { text }] = await heldBy({ url, method: 'GET', headers: { authorization, ...headers } });
      assert.ok(heldMs < LONGEST_MS, `held the loop for ${heldMs} ms: ${path} ${text.slice(0, 200)}`);
      expect(text.length).toBeLessThan(20_000);
    }
  });
});
