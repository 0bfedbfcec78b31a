import { stripTypeScriptTypes } from 'node:module';
import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { describe, expect, it } from 'vitest';
import { checkout, generated } from './checkout.js';

const stories = (options: object = {}, tree = checkout()): Promise<UnitTestTree> =>
  generated(
    'feature',
    { name: 'stories', fields: 'title:string', key: 'slug:title', timestamp: 17, ...options },
    tree,
  );
const folder = 'src/modules/stories';

describe('a feature with slugs in its paths', () => {
  it('takes nothing else in a path, and shows the slug beside the id', async () => {
    const tree = await stories();
    const controller = tree.readText(`${folder}/stories.controller.ts`);

    expect(controller.match(/@StringParam\('slug', SLUG\) slug: string/g)).toHaveLength(3);
    expect(controller).not.toContain('UuidParam');
    expect(controller).toContain('`/v1/stories/${story.slug}`');
    expect(tree.readText(`${folder}/dto/story.dto.ts`)).toMatch(
      /id!: string;[^]*@StringField\(SLUG\)\s+slug!: string;/,
    );
    expect(tree.readText('test/e2e/stories.spec.ts')).toContain('`${PATH}/{slug}`');
  });

  it.each([
    [{}, 'stories_slug_key UNIQUE (slug)'],
    [{ owner: true }, 'stories_user_id_slug_key UNIQUE (user_id, slug)'],
    [{ owner: true, access: 'public' }, 'stories_slug_key UNIQUE (slug)'],
  ])('has one row for each slug that a caller with %j can ask for', async (options, constraint) => {
    const tree = await stories(options);

    expect(tree.readText('migrations/17-stories.ts')).toContain(`CONSTRAINT ${constraint}`);
    expect(tree.readText(`${folder}/stories.service.ts`)).toContain(
      `error.constraint === '${constraint.split(' ')[0]}'`,
    );
  });

  it('announces ids', async () => {
    const service = (await stories({ events: true })).readText(`${folder}/stories.service.ts`);

    expect(service).toMatch(/const \{ id \} = await this\.find\(\{ slug \}\);[^]*delete\(\{ id \}\)/);
    expect(service).toContain('announce(storyDeleted, { storyId: id }');
  });

  it('is referred to by id, and its deletion is tested by slug', async () => {
    const tree = await generated(
      'feature',
      { name: 'reviews', fields: 'story:ref(stories)', timestamp: 18 },
      await stories(),
    );

    expect(tree.readText(`${folder}/stories.controller.ts`)).toMatch(/@Delete\(':slug'\)[^]*409/);
    expect(tree.readText('test/e2e/reviews.spec.ts')).toContain("await storySlug(api, ada, body['storyId'])");
  });

  it.each([
    ['title', /there are uuid and slug:title/],
    ['slug:name', /give the field name:string, which is not optional/],
    ['slug:count', /give the field count:string/],
    ['slug:note', /give the field note:string/],
  ])('is refused with the key %s', async (key, message) => {
    const fields = 'title:string count:integer note:string:optional';

    await expect(stories({ key, fields })).rejects.toThrow(message);
  });

  it('has no other field of that name', async () => {
    await expect(stories({ fields: 'title:string slug:string' })).rejects.toThrow(/has slug already/);
  });

  it('has no rows below it', async () => {
    const below = generated(
      'feature',
      { name: 'reviews', fields: 'text:text', belongsTo: 'stories' },
      await stories(),
    );

    await expect(below).rejects.toThrow(/--belongs-to needs ids in the paths of stories/);
  });
});

describe('a slug', () => {
  it.each([
    ['Two Words', 'two-words'],
    ['  Crème brûlée, à la carte!  ', 'creme-brulee-a-la-carte'],
    ['ﬁle №5', 'file-no5'],
    ['?!', 'story'],
    ['故事', 'story'],
    [`${'nine-nine '.repeat(7)}a bc`, `${'nine-nine-'.repeat(7)}a-bc`],
    [`${'x'.repeat(79)} y`, 'x'.repeat(79)],
    ['\ud800', 'story'],
  ])('of %j is %s', async (title, slug) => {
    const source = stripTypeScriptTypes((await stories()).readText(`${folder}/story-slug.ts`));
    const { SLUG, slugOf } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
      SLUG: { pattern: RegExp; max: number };
      slugOf: (title: string) => string;
    };

    expect(slugOf(title)).toBe(slug);
    expect(slug).toMatch(SLUG.pattern);
    expect(`${slug}-12345678`.length).toBeLessThanOrEqual(SLUG.max);
  });
});
