import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { describe, expect, it } from 'vitest';
import { checkout, generated } from './checkout.js';

/** Generates features one after the other: each as `--name …`, with a string unless it says otherwise. */
async function features(...all: object[]): Promise<UnitTestTree> {
  let tree = checkout();
  for (const [i, options] of all.entries())
    tree = await generated('feature', { fields: 'name:string', timestamp: 17 + i, ...options }, tree);
  return tree;
}

const deletionOf = (tree: UnitTestTree, feature: string): string =>
  /@Delete\(':id'\)[^]*/.exec(tree.readText(`src/modules/${feature}/${feature}.controller.ts`))![0];

describe('a reference to another feature', () => {
  const shelves = { name: 'shelves', singular: 'shelf' };

  it('is documented where the row that it points to is deleted, and tested', async () => {
    const tree = await features(shelves, { name: 'boxes', fields: 'shelf:ref(shelves)' });

    expect(deletionOf(tree, 'shelves')).toContain(`@ApiProblems(401, 403, 409, 422, {`);
    expect(deletionOf(tree, 'boxes')).not.toContain('409');
    expect(tree.readText('test/e2e/boxes.spec.ts')).toMatch(
      /each\(\['shelfId'\]\)\('hold what their %s refers to'[^]*shelfId: '\/v1\/shelves'/,
    );
  });

  it('is documented at the rows above it, with which it would go', async () => {
    const tree = await features(
      shelves,
      { name: 'boxes', belongsTo: 'shelves' },
      { name: 'labels', fields: 'box:ref(boxes)' },
    );

    for (const feature of ['shelves', 'boxes']) expect(deletionOf(tree, feature)).toContain('409');
    expect(tree.readText('test/e2e/labels.spec.ts')).toContain('boxId: await boxPath(api, ada)');
  });

  it('is no test of deletion when the row goes with the same parent', async () => {
    const tree = await features(shelves, {
      name: 'boxes',
      belongsTo: 'shelves',
      fields: 'origin:ref(shelves)',
    });

    expect(deletionOf(tree, 'shelves')).toContain('409');
    expect(tree.readText('test/e2e/boxes.spec.ts')).not.toContain('hold what');
  });

  it('is documented when it comes as a field', async () => {
    const two = await features(shelves, { name: 'boxes' });
    const tree = await generated('field', { name: 'boxes', fields: 'shelf:ref(shelves):optional' }, two);
    const again = await generated('field', { name: 'boxes', fields: 'other:ref(shelves):optional' }, tree);

    expect(deletionOf(tree, 'shelves')).toContain('409');
    expect(deletionOf(again, 'shelves').match(/409/g)).toHaveLength(1);
  });

  it('may be unique, and the tests refer to two rows then', async () => {
    const tree = await features(shelves, {
      name: 'boxes',
      fields: 'shelf:ref(shelves):unique keeper:ref(users):unique:optional',
    });

    const sample = tree.readText('test/e2e/boxes.sample.ts');
    expect(sample).toMatch(/await anyShelf\(api, as\)[^]*await anyShelf\(api, as, 1\)/);
    expect(sample).toContain('(await newUser(api)).userId');
    expect(tree.readText('migrations/18-boxes.ts')).toContain(
      'CONSTRAINT boxes_shelf_id_key UNIQUE (shelf_id)',
    );
    expect(tree.readText('migrations/18-boxes.ts')).not.toContain('boxes_shelf_id_id_idx');
  });
});

describe('a reference to another row of the same feature', () => {
  it('is documented and tested, and no row of the samples has one', async () => {
    const tree = await features({ name: 'boxes', fields: 'name:string outer:ref(boxes):optional' });
    const plain = await generated(
      'field',
      { name: 'boxes', fields: 'outer:ref(boxes):optional' },
      await features({ name: 'boxes' }),
    );

    for (const one of [tree, plain]) {
      expect(deletionOf(one, 'boxes')).toContain('409');
      expect(one.readText('test/e2e/boxes.sample.ts')).not.toContain('outer');
    }
    expect(tree.readText('test/e2e/boxes.spec.ts')).toContain('outerId: id');
  });

  it('may also lead there by way of another feature', async () => {
    const two = await features({ name: 'boxes' }, { name: 'labels', fields: 'box:ref(boxes)' });
    const tree = await generated('field', { name: 'boxes', fields: 'label:ref(labels):optional' }, two);

    expect(deletionOf(tree, 'labels')).toContain('409');
    expect(tree.readText('test/e2e/boxes.sample.ts')).not.toContain('label');
  });

  it('cannot be unique', async () => {
    await expect(features({ name: 'boxes', fields: 'next:ref(boxes):unique:optional' })).rejects.toThrow(
      /nextId cannot be unique.+add the constraint by hand/,
    );
  });
});

describe('an event that a feature handles from the beginning', () => {
  it('gets it as a consumer, a handler and a test', async () => {
    const tree = await features({ name: 'teams', events: true }, { name: 'boxes', consumes: 'team.created' });

    expect(tree.readText('src/modules/teams/teams.events.ts')).toMatch(
      /'team\.created', \{\s+consumers: \['teams', 'boxes'\]/,
    );
    expect(tree.readText('src/modules/boxes/boxes.processor.ts')).toContain('@Handles(teamCreated)');
    expect(tree.readText('src/modules/boxes/boxes.module.ts')).toContain("queues: ['boxes']");
    expect(tree.readText('test/e2e/boxes.spec.ts')).toContain('announce(teamCreated, { teamId: NOBODY })');
  });

  it('may come beside events of its own', async () => {
    const tree = await features(
      { name: 'teams', events: true },
      { name: 'boxes', consumes: 'team.created', events: true },
    );

    expect(tree.readText('src/modules/boxes/boxes.processor.ts').match(/@Handles\(\w+\)/g)).toEqual(
      ['boxCreated', 'boxChanged', 'boxDeleted', 'teamCreated'].map((name) => `@Handles(${name})`),
    );
  });

  it('has to be there', async () => {
    await expect(features({ name: 'boxes', consumes: 'team.created' })).rejects.toThrow(
      /No feature declares the event team.created/,
    );
  });
});
