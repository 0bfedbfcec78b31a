import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { describe, expect, it } from 'vitest';
import { generated } from './checkout.js';

const posts = (options: object): Promise<UnitTestTree> =>
  generated('feature', {
    name: 'stories',
    owner: true,
    access: 'optional',
    fields: 'title:string',
    timestamp: 17,
    ...options,
  });

describe('rows that everybody sees once they are published', () => {
  it('are limited in each read by what the viewer may see', async () => {
    const tree = await posts({});
    const service = tree.readText('src/modules/stories/stories.service.ts');
    const controller = tree.readText('src/modules/stories/stories.controller.ts');

    expect(service).toContain(
      'where: visibleTo(viewer, before === undefined ? {} : { id: LessThan(before) })',
    );
    expect(service).toContain('this.find(visibleTo(viewer, { id }))');
    expect(service).toContain('const story = await this.find({ id, userId });');
    expect(controller.match(/@OptionalCaller\(\)/g)).toHaveLength(2);
    expect(controller).not.toContain('@Public()');
  });

  it('are limited in searches and orders, too', async () => {
    const tree = await posts({ fields: 'title:string:indexed:searchable number:integer:indexed' });

    expect(tree.readText('src/modules/stories/stories.service.ts')).toContain(
      `createQueryBuilder('story').where(visibleTo(viewer, { ...filters }))`,
    );
  });

  it('have a field that says so, which is not published by default', async () => {
    const [given, added] = [await posts({ fields: 'title:string published:boolean' }), await posts({})];

    expect(added.readText('src/modules/stories/dto/story-fields.dto.ts')).toContain(
      'published: boolean = false;',
    );
    expect(given.readText('src/modules/stories/dto/story-fields.dto.ts')).toContain('published!: boolean;');
  });

  it.each([
    [{ owner: false }, /Give --owner, too/],
    [{ fields: 'published:date' }, /the field is published:boolean/],
    [{ fields: 'title:string published:boolean:immutable' }, /the field is published:boolean/],
    [{ fields: 'title:string published:boolean:indexed' }, /lists are limited by it/],
  ])('are refused with %j', async (options, message) => {
    await expect(posts(options)).rejects.toThrow(message);
  });
});

describe('a list by numbers of pages', () => {
  it('counts its rows, and takes an offset', async () => {
    const tree = await posts({ access: 'public', page: 'offset' });
    const service = tree.readText('src/modules/stories/stories.service.ts');

    expect(service).toContain('findAndCount({');
    expect(service).toContain('skip: offset');
    expect(service).not.toMatch(/Cursor|LessThan/);
    expect(tree.readText('src/modules/stories/stories.controller.ts')).toContain('@ApiOffsetPage(StoryDto)');
    expect(tree.readText('test/e2e/stories.spec.ts')).toContain('&offset=${seen.length}');
  });

  it('takes filters, words and an order as well', async () => {
    const tree = await posts({ page: 'offset', fields: 'title:string:indexed:searchable' });
    const service = tree.readText('src/modules/stories/stories.service.ts');

    expect(tree.readText('src/modules/stories/dto/story-query.dto.ts')).toContain('extends OffsetQuery');
    expect(service).toContain("title: ['title', 'ASC'],");
    expect(service).toMatch(/\.offset\(offset\)\s+\.getManyAndCount\(\)/);
  });
});
