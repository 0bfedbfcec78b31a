import type { UnitTestTree } from '@angular-devkit/schematics/testing/index.js';
import { describe, expect, it } from 'vitest';
import { checkout, generated, reported, textsOf, withInvoices } from './checkout.js';

const CONTROLLER = 'src/modules/invoices/invoices.controller.ts';
const SPEC = 'test/e2e/invoices.spec.ts';
const ROLES = { 'src/modules/users/roles.ts': 'interface Roles {\n  customer: true;\n  admin: true;\n}\n' };

const feature = (options: object): Promise<UnitTestTree> =>
  generated(
    'feature',
    { name: 'invoices', fields: 'number:string', timestamp: 17, ...options },
    checkout(ROLES),
  );
const policy = (tree: UnitTestTree, operations: string, access: string): Promise<UnitTestTree> =>
  generated('policy', { name: 'invoices', operations, access }, tree);

/** A method with its decorators. */
const routeOf = (tree: UnitTestTree, name: string): string =>
  tree
    .readText(CONTROLLER)
    .split('\n\n')
    .find((part) => new RegExp(`^  (async )?${name}\\(`, 'm').test(part))!;

describe('nest g policy', () => {
  it.each<[from: object, operations: string, access: string, to: object]>([
    [{}, 'list,get', 'public', { access: 'public' }],
    [{}, 'listInvoices,getInvoice', 'admin', { access: 'admin' }],
    [{ access: 'public' }, 'list,get', 'caller', {}],
    [{ access: 'public', idempotent: true }, 'list,get', 'admin', { access: 'admin', idempotent: true }],
    [{ access: 'admin' }, 'list,get', 'public', { access: 'public' }],
    [{ owner: true, access: 'public' }, 'get,list', 'caller', { owner: true, access: 'caller' }],
    [
      { access: 'public', fields: 'dueOn:date:indexed' },
      'list,get',
      'caller',
      { fields: 'dueOn:date:indexed' },
    ],
  ])('makes of %j, with %s for: %s, what is generated with %j', async (from, operations, access, to) => {
    const tree = await policy(await feature(from), operations, access);

    expect(textsOf(tree)).toEqual(textsOf(await feature(to)));
  });

  it('changes one route, and its row in the spec', async () => {
    const before = await feature({});
    const tree = await policy(before, 'create', 'caller');

    expect(routeOf(before, 'create')).toContain("@RequireRole('admin')");
    expect(routeOf(tree, 'create')).not.toContain('@RequireRole');
    expect(routeOf(tree, 'create')).toContain('@ApiProblems(400, 401, 413, 415, 422)');
    expect(routeOf(tree, 'change')).toBe(routeOf(before, 'change'));
    expect(tree.readText(SPEC)).toBe(before.readText(SPEC).replace("create: 'admin'", "create: 'caller'"));
  });

  it('says of each route what the class cannot say of all any more', async () => {
    const tree = await policy(await feature({}), 'get', 'public');

    expect(tree.readText(CONTROLLER)).toMatch(/@ApiTags\('invoices'\)\n@Controller/);
    expect(routeOf(tree, 'get')).toMatch(/@Public\(\)[^]*@ApiProblems\(422, \{ 404/);
    expect(routeOf(tree, 'list')).toContain('@ApiBearerAuth()');
    expect(routeOf(tree, 'change')).toMatch(
      /@RequireRole\('admin'\)\n {2}@ApiBearerAuth\(\)\n {2}@ApiOperation/,
    );
  });

  it('opens one route of a class that is for a role', async () => {
    const tree = await feature({});
    const [all] = [tree.readText(CONTROLLER)];
    tree.overwrite(
      CONTROLLER,
      all
        .replaceAll("  @RequireRole('admin')\n", '')
        .replace('@Controller', "@RequireRole('admin')\n@Controller"),
    );
    const opened = await policy(tree, 'get', 'public');

    expect(opened.readText(CONTROLLER)).not.toMatch(/^@RequireRole/m);
    expect(routeOf(opened, 'get')).not.toContain('RequireRole');
    for (const name of ['list', 'create', 'change', 'delete'])
      expect(routeOf(opened, name)).toContain("@RequireRole('admin')");
  });

  it('closes one route of a class that is public: there a role alone would admit everybody', async () => {
    const tree = await feature({});
    const text = tree.readText(CONTROLLER).replaceAll(/ {2}@RequireRole\('admin'\)\n/g, '');
    tree.overwrite(
      CONTROLLER,
      text.replace('@ApiBearerAuth()\n', '@Public()\n').replace('RequireRole', 'Public'),
    );
    const closed = await policy(tree, 'delete', 'admin');

    expect(closed.readText(CONTROLLER)).not.toMatch(/^@Public/m);
    expect(routeOf(closed, 'delete')).not.toContain('@Public()');
    expect(routeOf(closed, 'list')).toContain('@Public()');
  });

  it('names the tests of a spec that is written by hand', async () => {
    const tree = await feature({});
    tree.overwrite(
      SPEC,
      `it('a', async () => {
  await http.get('/v1/invoices?limit=1');
  await http.post('/v1/invoices', {});
  await statusOf('PUT', \`/v1/invoices/\${id}\`, {});
  await statusOf('PUT', path, {});
});
`,
    );
    tree.create('test/e2e/other.spec.ts', `await http.put('/v1/invoices/1');\nawait http.put(path);\n`);
    const { tree: changed, said } = await reported(
      'policy',
      { name: 'invoices', operations: 'change', access: 'caller' },
      tree,
    );

    expect(changed.readText(SPEC)).toBe(tree.readText(SPEC));
    expect(said).toEqual([
      expect.stringMatching(
        /^PUT \/v1\/invoices\/:id \(change\) was for admin and is for caller now\.[^]*\ntest\/e2e\/invoices\.spec\.ts:4, 5\ntest\/e2e\/other\.spec\.ts:1$/,
      ),
    ]);
  });

  it('leaves the spec to a person where callers of another role are needed', async () => {
    const tree = await feature({});
    const { tree: changed, said } = await reported(
      'policy',
      { name: 'invoices', operations: 'create', access: 'customer' },
      tree,
    );

    expect(routeOf(changed, 'create')).toContain("@RequireRole('customer')");
    expect(changed.readText(SPEC)).toBe(tree.readText(SPEC));
    expect(said).toEqual([expect.stringMatching(/is for customer now\.[^]*test\/e2e\/invoices\.spec\.ts:/)]);
  });

  it('gives what to paste where it cannot tell what a route answers', async () => {
    const tree = await feature({ access: 'public' });
    const text = tree.readText(CONTROLLER).replace(/ {2}@ApiProblems\(422, \{ 404[^\n]*\n/, '');
    tree.overwrite(CONTROLLER, text);
    const { said } = await reported('policy', { name: 'invoices', operations: 'get', access: 'admin' }, tree);

    expect(said[0]).toMatch(
      /looks unusual; paste this:\n@RequireRole\('admin'\)\n@ApiBearerAuth\(\)\n@ApiProblems\(401, 403\)/,
    );
  });

  it.each<[object, string, string, RegExp]>([
    [{}, 'list', 'caller', /list of invoices: already caller. Nothing was written/],
    [{}, 'send', 'caller', /no operation "send". There are: listInvoices, getInvoice, /],
    [{}, 'list', 'friends', /one of public, caller, customer, admin; "friends" is none/],
    [{ owner: true }, 'list', 'public', /list is for the rows of its caller/],
    [{ owner: true, access: 'optional' }, 'get', 'caller', /get shows callers more than others/],
  ])('refuses with %j: %s for %s', async (options, operations, access, message) => {
    await expect(policy(await feature(options), operations, access)).rejects.toThrow(message);
  });

  it('refuses a feature that is not there', async () => {
    await expect(
      generated('policy', { name: 'bills', operations: 'list', access: 'public' }, await withInvoices()),
    ).rejects.toThrow(/no feature "bills"/);
  });
});
