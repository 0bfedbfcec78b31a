import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startLedger, type LedgerUnderTest } from '../../specimen/ledger-under-test.js';
import { BLOG_SCHEMA } from './blog.module.js';
import { newUser, type TestUser } from '../../factories/users.js';
import { withKey } from '../../factories/keys.js';

/** As a fork adds a feature. */
vi.mock('../../specimen/product.modules.js', async (original) => {
  const { PRODUCT } = await original<typeof import('../../specimen/product.modules.js')>();
  const { BlogModule } = await import('./blog.module.js');
  return { PRODUCT: [...PRODUCT, BlogModule] };
});

interface Problem {
  status: number;
  code: string;
  detail: string;
  errors: { pointer?: string; parameter?: string; code: string; message: string }[];
}
interface Article {
  article: { slug: string; title: string; tags: string[]; isMine: boolean };
}

let ledger: LedgerUnderTest;
let ada: TestUser;

beforeAll(async () => {
  ledger = await startLedger();
  for (const text of BLOG_SCHEMA) await ledger.database.execute({ text });
  ada = await newUser(ledger);
}, 120_000);

afterAll(() => ledger?.stop());

let titles = 0;
const publish = async (tags: string[] = [], title = `Article ${(titles += 1)}`) => {
  const answer = await ada.http.post<Article>('/v1/articles', { article: { title, tags } });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.article;
};
const refusal = (answer: { status: number; body: unknown }) => {
  const { code, errors } = answer.body as Problem;
  return {
    status: answer.status,
    code,
    errors: errors?.map(({ pointer, parameter }) => pointer ?? parameter),
  };
};

describe('A route with an optional caller', () => {
  it('answers without a token, and knows the caller of a token', async () => {
    const { slug } = await publish();
    expect((await ledger.http.get<Article>(`/v1/articles/${slug}`)).body.article.isMine).toBe(false);
    expect((await ada.http.get<Article>(`/v1/articles/${slug}`)).body.article.isMine).toBe(true);
    const somebody = await newUser(ledger);
    expect((await somebody.http.get<Article>(`/v1/articles/${slug}`)).body.article.isMine).toBe(false);
  });

  it.each(['Bearer nonsense', 'Token nonsense', 'Basic YTpi', 'Bearer', ''])(
    'rejects an invalid token: "%s"',
    async (authorization) => {
      const answer = await ledger.http.get('/v1/articles', { headers: { authorization } });
      expect(refusal(answer)).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    },
  );

  it('provides the token as sent, and none without one', async () => {
    expect((await ada.http.get('/v1/plain/token')).body).toEqual({ token: ada.accessToken });
    expect((await ledger.http.get('/v1/plain/token')).body).toEqual({});
  });
});

describe('A path parameter', () => {
  it.each(['Not-A-Slug', '%00', 'a%00b', '%20', "';DROP", 'a%2Fb', '%F0%9F%98%80'])(
    'that is not a slug does not reach the handler: %s',
    async (slug) => {
      const answer = await ledger.http.get(`/v1/articles/${slug}`);
      expect(refusal(answer)).toEqual({ status: 422, code: 'validation-failed', errors: ['slug'] });
    },
  );

  it.each(['0x1', '1e3', '-1', '1.5', '2147483648', '99999999999999999999', '%00', 'one', '+1', '01'])(
    'that is not an allowed number does not either: %s',
    async (id) => {
      const { slug } = await publish();
      const answer = await ada.http.get(`/v1/articles/${slug}/comments/${id}`);
      expect(refusal(answer)).toEqual({ status: 422, code: 'validation-failed', errors: ['id'] });
    },
  );

  it('arrives as a number', async () => {
    const { slug } = await publish();
    const comment = await ada.http.post<{ id: number }>(`/v1/articles/${slug}/comments`, {
      comment: { body: 'Nice.' },
    });
    expect(comment.status, comment.text).toBe(201);
    const found = await ada.http.get(`/v1/articles/${slug}/comments/${comment.body.id}`);
    expect(found.body).toEqual({ id: comment.body.id, body: 'Nice.' });
    expect((await ada.http.get(`/v1/articles/${slug}/comments/2147483647`)).status).toBe(404);
  });

  it('may be declared in a class with others', async () => {
    const answer = await ada.http.post('/v1/articles/NO/comments', { comment: { body: 'x' } });
    expect(refusal(answer)).toEqual({ status: 422, code: 'validation-failed', errors: ['slug'] });
  });

  it('is a lower-case UUID when declared so', async () => {
    const id = '019AA000-0000-7000-8000-00000000ABCD';
    expect((await ledger.http.get(`/v1/plain/checked/${id}`)).body).toEqual({ token: id.toLowerCase() });
    expect(refusal(await ledger.http.get('/v1/plain/checked/7'))).toMatchObject({
      status: 422,
      errors: ['id'],
    });
  });

  it('of a plain @Param() passes neither NUL nor invalid Unicode to PostgreSQL', async () => {
    for (const text of ['%00', 'a%00']) {
      expect(refusal(await ledger.http.get(`/v1/plain/articles/${text}`))).toEqual({
        status: 422,
        code: 'validation-failed',
        errors: ['slug'],
      });
    }
    expect((await ledger.http.get('/v1/plain/articles/%F0')).status).toBe(400);
    expect(refusal(await ledger.http.get('/v1/plain/uuid/7'))).toMatchObject({
      status: 422,
      code: 'value-not-allowed',
    });
  });
});

describe('A list by offset', () => {
  it('has one page and the total, also beyond the end', async () => {
    const tags = ['paged'];
    const slugs = [await publish(tags), await publish(tags), await publish(tags)].map(({ slug }) => slug);
    const page = (query: string) =>
      ledger.http.get<{ data: { slug: string }[]; total: number }>(`/v1/articles?tag=paged&${query}`);
    const first = (await page('limit=2')).body;
    expect(first.data.map(({ slug }) => slug)).toEqual([slugs[2], slugs[1]]);
    expect(first.total).toBe(3);
    expect((await page('limit=2&offset=2')).body).toMatchObject({ data: [{ slug: slugs[0] }], total: 3 });
    expect((await page('offset=10000')).body).toEqual({ data: [], total: 3 });
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=',
    'limit=1&limit=2',
    'offset=-1',
    'offset=10001',
    'offset=1e2',
    'page=2',
    'drafts=yes',
  ])('rejects %s', async (query) => {
    const answer = await ledger.http.get(`/v1/articles?${query}`);
    expect(refusal(answer)).toEqual({
      status: 422,
      code: 'validation-failed',
      errors: [query.split('=', 1)[0]],
    });
  });
});

describe('A list of strings', () => {
  it('is a parameter that is repeated or given once', async () => {
    const { slug } = await publish(['cats', 'dogs']);
    await publish(['cats']);
    for (const query of ['tag=dogs', 'tag=cats&tag=dogs', 'tag=dogs&drafts=true']) {
      const answer = await ledger.http.get<{ data: { slug: string }[] }>(`/v1/articles?${query}`);
      expect(answer.body.data.map((article) => article.slug)).toEqual([slug]);
    }
  });

  it('names the parameter of a query in its errors', async () => {
    for (const query of ['tag=UPPER', 'tag=a&tag=', 'tag=a&tag=%00', `tag=${'a'.repeat(21)}`]) {
      expect(refusal(await ledger.http.get(`/v1/articles?${query}`))).toEqual({
        status: 422,
        code: 'validation-failed',
        errors: ['tag'],
      });
    }
    const many = 'tag=a&'.repeat(6).slice(0, -1);
    expect(refusal(await ledger.http.get(`/v1/articles?${many}`))).toMatchObject({
      status: 422,
      errors: ['tag'],
    });
  });

  it.each([
    ['no list', 'cats', ['/article/tags']],
    ['nothing', undefined, ['/article/tags']],
    ['too many', ['a', 'b', 'c', 'd', 'e', 'f'], ['/article/tags']],
    ['duplicates', ['a', 'a'], ['/article/tags']],
    ['values that are not strings', ['a', 1, null], ['/article/tags/1', '/article/tags/2']],
    [
      'strings of another form',
      ['', 'ok', 'NO', 'x'.repeat(21)],
      ['/article/tags/0', '/article/tags/2', '/article/tags/3'],
    ],
    ['a list in a list', [['a']], ['/article/tags/0']],
    ['NUL', ['a\0'], ['/article/tags/0']],
  ])('points to the element of a body in its errors: %s', async (_, tags, pointers) => {
    const answer = await ada.http.post('/v1/articles', { article: { title: 'Tags', tags } });
    expect(refusal(answer)).toEqual({ status: 422, code: 'validation-failed', errors: pointers });
  });

  it('is a list for a plain @Query() too, and a single string stays one', async () => {
    const search = (query: string) => ledger.http.get<{ token: string }>(`/v1/plain/search?${query}`);
    expect((await search('text=a&word=b')).body.token).toBe('A b');
    expect((await search('text=a&word=b&word=c')).body.token).toBe('A b+c');
    expect(refusal(await search('text=a&text=b&word=c'))).toMatchObject({ status: 422, errors: ['text'] });
  });
});

describe('A wrapped body', () => {
  it.each([
    [{ article: { title: '', tags: [] } }, ['/article/title']],
    [{ article: { tags: [], draft: true, title: 'x' } }, ['/article/draft']],
    [{ title: 'x', tags: [] }, ['/article', '/title', '/tags']],
    [{ article: [] }, ['/article']],
    [{ article: 'x' }, ['/article']],
    [{ article: null }, ['/article']],
    [{}, ['/article']],
    [[], ['']],
  ])('has pointers into the whole body: %j', async (body, pointers) => {
    const answer = await ada.http.post('/v1/articles', body);
    expect(refusal(answer)).toEqual({ status: 422, code: 'validation-failed', errors: pointers });
  });

  it.each([
    [{ comment: { stars: 'five' } }, ['/comment/stars']],
    [{ comment: { body: 1, likes: 2 } }, ['/comment/body', '/comment/likes']],
    [{ comment: 'x' }, ['/comment']],
    [{}, ['/comment']],
  ])('has them also when @Body() names the member: %j', async (body, pointers) => {
    const { slug } = await publish();
    const answer = await ada.http.post(`/v1/articles/${slug}/comments`, body);
    expect(refusal(answer)).toEqual({ status: 422, code: 'validation-failed', errors: pointers });
  });
});

describe('An optional Idempotency-Key', () => {
  const article = { article: { title: 'Once', tags: [] } };

  it('makes a retry safe when given', async () => {
    const key = withKey();
    const first = await ada.http.post('/v1/articles', article, key);
    const again = await ada.http.post('/v1/articles', article, key);
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await ada.http.post('/v1/articles', { article: { title: 'Twice', tags: [] } }, key);
    expect(refusal(other)).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
  });

  it('may be omitted', async () => {
    const [one, two] = [await publish([], 'Same title'), await publish([], 'Same title')];
    expect(one.slug).toBe('same-title');
    expect(two.slug).toMatch(/^same-title-[0-9a-f-]{36}$/);
  });

  it('must be valid when given', async () => {
    for (const key of ['', 'x'.repeat(256)])
      expect((await ada.http.post('/v1/articles', article, withKey(key))).status).toBe(400);
  });
});

describe('A value that the schema rejects', () => {
  const comment = async (values: object, slug?: string) => {
    const answer = await ada.http.post(`/v1/articles/${slug ?? (await publish()).slug}/comments`, {
      comment: { body: 'x', ...values },
    });
    return refusal(answer);
  };

  it('is 422 when it refers to nothing', async () => {
    expect(await comment({ parentId: 2_000_000_000 })).toMatchObject({
      status: 422,
      code: 'unknown-reference',
    });
  });

  it('is 409 when something refers to it', async () => {
    const { slug } = await publish();
    await comment({}, slug);
    expect(refusal(await ada.http.delete(`/v1/articles/${slug}`))).toMatchObject({
      status: 409,
      code: 'still-referenced',
    });
    expect((await ada.http.delete(`/v1/articles/${(await publish()).slug}`)).status).toBe(204);
  });

  it.each([
    ['too long', { body: 'x'.repeat(21) }],
    ['missing', { body: undefined }],
    ['out of range', { stars: 40_000 }],
    ['rejected by a check constraint', { stars: 6 }],
  ])('is 422 when it is %s', async (_, values) => {
    expect(await comment(values)).toMatchObject({ status: 422, code: 'value-not-allowed' });
  });

  it('reveals nothing about the schema', async () => {
    const { slug } = await publish();
    const answer = await ada.http.post(`/v1/articles/${slug}/comments`, { comment: { body: 'x', stars: 6 } });
    expect(answer.text).not.toMatch(/comments_stars_check|smallint|violates/);
  });
});

describe('A message to each reader', () => {
  it('commits with the article', async () => {
    const before = await ledger.database.query<{ count: string }>({
      text: `SELECT count(*) FROM outbox_events WHERE name = 'article.reached'`,
    });
    await publish();
    const after = await ledger.database.query<{ count: string }>({
      text: `SELECT count(*) FROM outbox_events WHERE name = 'article.reached'`,
    });
    expect(Number(after[0]?.count) - Number(before[0]?.count)).toBe(2);
  });
});

describe('The OpenAPI document', () => {
  interface Operation {
    security?: object[];
    parameters: { name: string; in: string; required: boolean; schema: object }[];
    requestBody?: { content: Record<string, { schema: object }> };
    responses: Record<string, { content?: Record<string, { schema: object }> }>;
  }
  const operation = async (method: 'get' | 'post', path: string): Promise<Operation> => {
    const { body } = await ledger.http.get<{ paths: Record<string, Record<string, Operation>> }>(
      '/openapi.json',
    );
    return body.paths[path]![method]!;
  };
  const parameter = async (path: string, name: string) =>
    (await operation('get', path)).parameters.find((candidate) => candidate.name === name);

  it('shows that a caller is optional', async () => {
    const { security } = await operation('get', '/v1/plain/token');
    expect(security).toEqual(expect.arrayContaining([{}, { bearer: [] }]));
    expect((await operation('get', '/v1/articles')).security).toContainEqual({});
    expect((await operation('post', '/v1/articles')).security).not.toContainEqual({});
  });

  it('shows what a path parameter must be', async () => {
    const path = '/v1/articles/{slug}/comments/{id}';
    expect((await parameter(path, 'id'))?.schema).toEqual({
      type: 'integer',
      minimum: 0,
      maximum: 2147483647,
    });
    expect((await parameter(path, 'slug'))?.schema).toMatchObject({
      type: 'string',
      pattern: '^[a-z0-9-]+$',
    });
    expect((await operation('get', path)).parameters).toHaveLength(2);
    expect((await parameter('/v1/transfers/{id}', 'id'))?.schema).toEqual({ type: 'string', format: 'uuid' });
  });

  it('shows how a list is paged and filtered', async () => {
    expect((await parameter('/v1/articles', 'tag'))?.schema).toMatchObject({
      type: 'array',
      maxItems: 5,
      items: { type: 'string', pattern: '^[a-z0-9-]+$' },
    });
    expect((await parameter('/v1/articles', 'offset'))?.schema).toMatchObject({
      type: 'integer',
      default: 0,
    });
    expect(await parameter('/v1/articles', 'limit')).toMatchObject({
      required: false,
      schema: { default: 20 },
    });
    const { responses } = await operation('get', '/v1/articles');
    expect(responses['200']?.content?.['application/json']?.schema).toEqual({
      $ref: '#/components/schemas/ArticleOffsetPage',
    });
    const { body } = await ledger.http.get<{ components: { schemas: Record<string, object> } }>(
      '/openapi.json',
    );
    expect(body.components.schemas.ArticleOffsetPage).toMatchObject({
      required: ['data', 'total'],
      properties: { data: { items: { $ref: '#/components/schemas/ArticleDto' } } },
    });
  });

  it('shows that a key is optional and a body wrapped', async () => {
    const { parameters, requestBody } = await operation('post', '/v1/articles');
    expect(parameters.find(({ name }) => name === 'Idempotency-Key')?.required).toBe(false);
    expect(requestBody?.content['application/json']?.schema).toEqual({
      $ref: '#/components/schemas/NewArticleBody',
    });
  });
});
