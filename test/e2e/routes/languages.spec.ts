import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProblemDocument } from '../../../src/platform/http/index.js';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { newAccount } from '../../factories/accounts.js';
import { newUser, type TestUser } from '../../factories/users.js';
import { withKey } from '../../factories/keys.js';

let ledger: LedgerUnderTest;
let ada: TestUser;

beforeAll(async () => {
  ledger = await startLedger({ CORS_ORIGINS: 'https://app.example' });
  ada = await newUser(ledger);
});

afterAll(() => ledger?.stop());

const NOWHERE = '/v1/accounts/019aa000-0000-7000-8000-000000000000';

const problem = async (language: string | undefined, path = NOWHERE) => {
  const { body, headers } = await ledger.http.get<ProblemDocument>(path, {
    // What `fetch` sends by itself says nothing.
    headers: { 'accept-language': language ?? '*' },
  });
  return { ...body, language: headers.get('content-language'), vary: headers.get('vary') };
};

describe('A problem document', () => {
  it.each([
    [undefined, 'en', 'Not Found'],
    ['fr', 'en', 'Not Found'],
    ['de-CH, en;q=0.5', 'de', 'Nicht gefunden'],
  ])('for Accept-Language %s is in %s', async (accepted, language, title) => {
    expect(await problem(accepted)).toMatchObject({
      language,
      title,
      status: 404,
      code: 'account-not-found',
    });
  });

  it('has the same code and type in every language, and another text', async () => {
    const [english, german] = [await problem('en'), await problem('de')];

    expect(german).toMatchObject({ code: english.code, type: english.type, instance: english.instance });
    expect(german.detail).not.toBe(english.detail);
  });

  it('says to caches that it depends on the language', async () => {
    for (const language of ['en', 'de', undefined])
      expect((await problem(language)).vary).toBe('Origin, Accept-Language');
  });

  it('is in the language also where no route is found, and where no handler has run', async () => {
    expect(await problem('de', '/nowhere')).toMatchObject({ code: 'not-found', title: 'Nicht gefunden' });
    expect(await problem('de', '/v1/users/me')).toMatchObject({ status: 401, title: 'Nicht angemeldet' });
    expect(await problem('de', '/v1/%')).toMatchObject({ status: 400, title: 'Ungültige Anfrage' });
  });

  it('that is stored under an Idempotency-Key stays in the language of the first request', async () => {
    const from = await newAccount(ada, 1);
    const to = await newAccount(ada, 1);
    const transfer = (language: string) =>
      ada.http
        .with({ 'accept-language': language })
        .post<ProblemDocument>('/v1/transfers', { from, parts: [{ to, amount: 2 }] }, withKey('in-german'));
    const [first, again] = [await transfer('de'), await transfer('en')];

    expect([first.status, first.body.title]).toEqual([409, 'Konflikt']);
    expect(again.text).toBe(first.text);
    for (const { headers } of [first, again]) {
      expect(headers.get('content-language')).toBe('de');
      expect(headers.get('vary')).toContain('Accept-Language');
    }
  });
});

it('A success does not depend on the language', async () => {
  const { headers } = await ledger.http.get('/v1/accounts', { headers: { 'accept-language': 'de' } });

  expect(headers.get('content-language')).toBeNull();
  expect(headers.get('vary')).toBe('Origin');
});
