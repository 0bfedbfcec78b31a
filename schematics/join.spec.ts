import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { generated, textsOf } from './checkout.js';

describe('a join of two features', () => {
  let shelves: UnitTestTree;

  beforeAll(async () => {
    const fields = 'name:string';
    const one = await generated('feature', { name: 'shelves', singular: 'shelf', fields, timestamp: 15 });
    shelves = await generated('feature', { name: 'boxes', fields, timestamp: 16 }, one);
  });

  const likes = (options: object = {}, tree = shelves): Promise<UnitTestTree> =>
    generated('feature', { name: 'likes', join: 'shelves:users', timestamp: 17, ...options }, tree);
  const textOf = (tree: UnitTestTree, file: string): string =>
    tree.readText(file.startsWith('test') ? file : `src/modules/likes/${file}`);

  it('has the ids of both as its key, and goes with either', async () => {
    const tree = await likes();

    expect(tree.readText('migrations/17-likes.ts')).toMatch(
      /CONSTRAINT likes_pkey PRIMARY KEY \(shelf_id, user_id\),\s+CONSTRAINT likes_shelf_id_fkey .+ ON DELETE CASCADE,\s+CONSTRAINT likes_user_id_fkey .+ ON DELETE CASCADE/,
    );
    expect(textOf(tree, 'like.entity.ts').match(/onDelete: 'CASCADE'/g)).toHaveLength(2);
    expect(textOf(tree, 'like.entity.ts')).not.toContain('VersionColumn');
    expect(textOf(tree, 'test/e2e/likes.spec.ts')).toContain("it('go with the shelf they are of'");
  });

  it('has both in its paths, below the first one', async () => {
    const [plain, other] = [await likes(), await likes({ path: 'fans' })];

    expect(textOf(plain, 'likes.controller.ts')).toMatch(
      /@Controller\('v1\/shelves\/:shelfId\/likes'\)[^]*@Put\(':userId'\)/,
    );
    expect(textOf(other, 'likes.controller.ts')).toContain("@Controller('v1/shelves/:shelfId/fans')");
  });

  it('is put in one statement, which says whether the row is new', async () => {
    const [bare, filled] = [await likes(), await likes({ fields: 'note:text:optional price:money' })];

    expect(textOf(bare, 'likes.service.ts')).toContain(".orIgnore().returning('user_id')");
    expect(textOf(bare, 'likes.controller.ts')).not.toContain('@Body()');
    expect(textOf(filled, 'likes.service.ts')).toContain(
      ".orUpdate(['note', 'price_amount', 'price_currency'], ['shelf_id', 'user_id'])",
    );
    expect(textOf(filled, 'likes.controller.ts')).toContain('@Body() fields: LikeFieldsDto');
  });

  it.each([
    [{}, 0, 2],
    [{ access: 'public' }, 0, 2],
    [{ access: 'admin' }, 0, 4],
    [{ owner: true, access: 'public' }, 2, 0],
    [{ owner: true, access: 'admin' }, 2, 2],
    [{ owner: true, join: 'users:shelves' }, 4, 0],
  ])('is open to those that %j says', async (options, own, admins) => {
    const controller = textOf(await likes(options), 'likes.controller.ts');

    expect(controller.match(/@CurrentCaller\(\)/g) ?? []).toHaveLength(own);
    expect(controller.match(/@RequireRole\('admin'\)/g) ?? []).toHaveLength(admins);
  });

  it('may have fields added to those that it has', async () => {
    const tree = await generated(
      'field',
      { name: 'likes', fields: 'note:text:optional', timestamp: 18 },
      await likes({ fields: 'stars:integer' }),
    );

    expect(textOf(tree, 'likes.service.ts')).toMatch(/note: fields\.note \?\? null[^]*note: like\.note/);
    expect(textOf(tree, 'like.entity.ts')).toContain('note!: string | null');
    expect(textOf(tree, 'likes.service.ts')).toContain("orUpdate(['stars', 'note']");
  });

  it.each([
    [{ join: 'shelves' }, /write --join articles:users/],
    [{ join: 'shelves:shelves' }, /Both sides are shelves: generate a feature with a field/],
    [{ join: 'shelves:rooms' }, /no feature rooms/],
    [{ owner: true }, /write --join users:shelves, or say with --access who else reads/],
    [{ owner: true, join: 'shelves:boxes' }, /With --owner one side of the join is users/],
    [{ access: 'optional' }, /--join cannot be combined with --access optional/],
    [{ events: true }, /--join cannot be combined with --events/],
    [{ idempotent: true }, /--join cannot be combined with --idempotent/],
    [{ http: false }, /--join cannot be combined with --no-http/],
    [{ cached: true }, /--join cannot be combined with --cached/],
    [{ page: 'offset' }, /--join cannot be combined with --page/],
    [{ key: 'slug:title' }, /--join cannot be combined with --key/],
    [{ belongsTo: 'boxes' }, /--join cannot be combined with --belongs-to/],
    [{ fields: 'note:string:unique' }, /note: a field of a join is optional, has a default, or neither/],
    [{ fields: 'box:ref(boxes)' }, /boxId: a field of a join/],
    [{ fields: 'shelfId:uuid' }, /every row has shelfId already/],
  ])('is refused with %j', async (options, message) => {
    await expect(likes(options)).rejects.toThrow(message);
  });

  it('joins no rows that paths know by a slug', async () => {
    const stories = await generated(
      'feature',
      { name: 'stories', fields: 'title:string', key: 'slug:title', timestamp: 18 },
      shelves,
    );

    await expect(likes({ join: 'stories:users' }, stories)).rejects.toThrow(
      /--join needs ids in the paths of stories/,
    );
  });

  it('is nothing to refer to', async () => {
    const referring = generated('feature', { name: 'marks', fields: 'like:ref(likes)' }, await likes());

    await expect(referring).rejects.toThrow(/likes has no id of its own/);
  });

  it('is taken back whole', async () => {
    const tree = await generated(
      'remove-feature',
      { name: 'likes' },
      await likes({ fields: 'stars:integer' }),
    );

    expect(textsOf(tree)).toEqual(textsOf(shelves));
  });
});
