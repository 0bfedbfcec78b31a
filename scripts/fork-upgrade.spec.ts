import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { upgrade } from './lib/fork/upgrade.js';

/** A small starter with the real fork command: two versions of it, and what a team made of the first. */
const repository = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'upgrade-spec-'));
const starter = join(folder, 'starter');

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};
const run = (cwd: string, command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const git = (cwd: string, ...args: string[]): string => run(cwd, 'git', ...args);
const read = (root: string, path: string): string => readFileSync(join(root, path), 'utf8');

function write(root: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function commit(root: string, what: string): void {
  git(root, 'add', '--all');
  git(root, 'commit', '--quiet', '-m', what);
}

const lines = (...text: string[]): string => `${text.join('\n')}\n`;

const manifest = (version: string, pg: string): string =>
  `${JSON.stringify(
    {
      name: 'old-shop',
      version,
      type: 'module',
      scripts: { fork: 'node scripts/fork.ts', docs: 'node -e 0', manifests: 'node -e 0' },
      dependencies: { pg },
      devDependencies: {},
    },
    null,
    2,
  )}\n`;

/** The same for all versions: then their forks share the packages that are installed here. */
const LOCKFILE = `${JSON.stringify({ name: 'old-shop', version: '1.0.0', packages: { '': {} } }, null, 2)}\n`;

const service = (...body: string[]): string =>
  lines(`import 'pg';`, '', 'export class Pool {', ...body, '  // old-shop connects here', '}');

const VERSION_1 = {
  'package.json': manifest('1.0.0', '8.0.0'),
  'package-lock.json': LOCKFILE,
  'CHANGELOG.md': '# Changelog\n',
  LICENSE: 'MIT\n\nCopyright (c) 2026 The Old Shop authors\n',
  '.gitignore': 'node_modules/\n.local/\n',
  'README.md': lines(
    '# Old Shop',
    '',
    'Run it.',
    '',
    '<!-- only: orders -->',
    '',
    'Place an order.',
    '',
    '<!-- end -->',
    '',
    'Read on.',
    '',
    'The end of Old Shop.',
  ),
  'src/product.ts': `export const PRODUCT = { name: 'old-shop', title: 'Old Shop', description: 'A shop.' };\n`,
  'src/product.modules.ts': lines(
    `import { AuthModule } from './modules/auth/index.js';`,
    `import { OrdersModule } from './modules/orders/index.js';`,
    '',
    'export const MODULES = [',
    '  AuthModule,',
    '  OrdersModule,',
    '];',
  ),
  'src/modules/auth/index.ts': 'export class AuthModule {}\n',
  'src/modules/users/index.ts': 'export class UsersModule {}\n',
  'src/modules/orders/index.ts': lines('export class OrdersModule {}', '// of old-shop'),
  'src/modules/payments/index.ts': 'export class PaymentsModule {}\n',
  'src/platform/pool.ts': service('  size = 10;', '', '  // Its settings.', '', '  wait = 5;'),
  'deploy/kubernetes/rendered/dev.yaml': 'replicas: 1\n',
  'migrations/.keep': '',
  'test/.keep': '',
  'bench/.keep': '',
  'local/.keep': '',
};

/** What a release changes: in files that the team renamed, that it removed, that it edited, and in new ones. */
const VERSION_1_1 = {
  'package.json': manifest('1.1.0', '8.1.0'),
  'CHANGELOG.md': '# Changelog\n\n## 1.1.0\n\n- Old Shop waits longer.\n',
  'README.md': VERSION_1['README.md']
    .replace('Read on.', 'Read on in the docs of Old Shop.')
    .replace('Place an', 'Place your'),
  'src/modules/orders/index.ts': lines(
    'export class OrdersModule {',
    '  faster = true;',
    '}',
    '// of old-shop, better',
  ),
  'src/modules/refunds/index.ts': 'export class RefundsModule {}\n',
  'src/platform/pool.ts': service('  size = 10;', '', '  // Its settings.', '', '  wait = 30;'),
  'src/platform/probe.ts': lines('// asks whether old-shop is there', 'export const probe = 1;'),
  'deploy/kubernetes/rendered/dev.yaml': 'replicas: 2\n',
  'docs/api/released.json': '{ "title": "Old Shop" }\n',
  'scripts/codemods/1.1.0/01-wait.ts': `export default (path: string, text: string): string =>\n  path.endsWith('.ts') ? text.replaceAll('waitFor(', 'waitUntil(') : text;\n`,
};

let team: string;

beforeAll(() => {
  Object.assign(process.env, IDENTITY);
  mkdirSync(starter);
  git(starter, 'init', '--quiet', '--initial-branch', 'main');
  write(starter, VERSION_1);
  for (const path of ['fork.ts', 'lib'])
    cpSync(join(repository, 'scripts', path), join(starter, 'scripts', path), {
      recursive: true,
      filter: (name) => !name.endsWith('.spec.ts'),
    });
  cpSync(join(repository, '.prettierrc.json'), join(starter, '.prettierrc.json'));
  symlinkSync(join(repository, 'node_modules'), join(starter, 'node_modules'));
  writeFileSync(join(starter, '.git/info/exclude'), '/node_modules\n');
  commit(starter, 'Version 1.0.0');
  git(starter, 'tag', 'v1.0.0');
  team = fork('team');
  write(starter, VERSION_1_1);
  commit(starter, 'Version 1.1.0');
  git(starter, 'tag', 'v1.1.0');
}, 240_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const name of Object.keys(IDENTITY)) delete process.env[name];
});

/** A fork of version 1.0.0 without payments and orders, on which a team has worked. */
function fork(name: string): string {
  const root = join(folder, name);
  git(folder, 'clone', '--quiet', '--branch', 'v1.0.0', starter, root);
  git(root, 'switch', '--quiet', '--create', 'main');
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  writeFileSync(join(root, '.git/info/exclude'), '/node_modules\n');
  run(root, 'npm', 'run', 'fork', '--', '--name', 'acme-billing', '--keep', 'none');
  commit(root, 'Begin');
  write(root, {
    'README.md': read(root, 'README.md').replace('Run it.', 'Run Acme Billing with npm start.'),
    'CHANGELOG.md': '# Changelog\n\n## 2.0.0\n\n- Invoices.\n',
    'package.json': read(root, 'package.json').replace('"version": "0.1.0"', '"version": "2.0.0"'),
    'src/product.modules.ts': lines(
      `import { AuthModule } from './modules/auth/index.js';`,
      `import { InvoicesModule } from './modules/invoices/index.js';`,
      '',
      'export const MODULES = [AuthModule, InvoicesModule];',
    ),
    'src/modules/invoices/index.ts': lines('export class InvoicesModule {', '  done = waitFor(1);', '}'),
    'src/platform/pool.ts': read(root, 'src/platform/pool.ts').replace('size = 10', 'size = 50'),
  });
  commit(root, 'Add invoices');
  return root;
}

// Each makes two forks by the real command.
describe('an upgrade', { timeout: 240_000 }, () => {
  it('brings what the release has changed, without a conflict, and keeps what the team has changed', async () => {
    const before = git(team, 'rev-parse', 'main');
    const done = await upgrade(team, starter, 'v1.1.0');

    expect(done).toEqual({
      from: '1.0.0',
      branch: 'upgrade-v1.1.0',
      codemods: [{ name: '1.1.0/01-wait.ts', changed: ['src/modules/invoices/index.ts'] }],
      conflicts: [],
    });
    expect(git(team, 'status', '--porcelain')).toBe('');
    expect([git(team, 'branch', '--show-current'), git(team, 'rev-parse', 'main')]).toEqual([
      done.branch,
      before,
    ]);
    expect(read(team, 'src/platform/pool.ts')).toBe(
      service('  size = 50;', '', '  // Its settings.', '', '  wait = 30;').replace(
        'old-shop',
        'acme-billing',
      ),
    );
    expect(read(team, 'src/platform/probe.ts')).toContain('acme-billing is there');
    expect(read(team, 'README.md')).toBe(
      lines(
        '# Acme Billing',
        '',
        'Run Acme Billing with npm start.',
        '',
        'Read on in the docs of Acme Billing.',
        '',
        'The end of Acme Billing.',
      ),
    );
    expect(read(team, 'CHANGELOG.md')).toContain('Invoices.');
    expect(read(team, 'src/modules/invoices/index.ts')).toContain('waitUntil(1)');
    expect(read(team, 'src/product.modules.ts')).toContain('InvoicesModule');
    expect(JSON.parse(read(team, 'package.json'))).toMatchObject({
      name: 'acme-billing',
      version: '2.0.0',
      dependencies: { pg: '8.1.0' },
    });
  });

  it('brings back neither the old name nor an example feature, removed or new', () => {
    const files = git(team, 'ls-files').split('\n');

    expect(
      files.filter((path) => /modules\/(orders|payments|refunds)|codemods|released\.json/.test(path)),
    ).toEqual([]);
    expect(files.filter((path) => path !== 'LICENSE' && /old.shop/i.test(read(team, path)))).toEqual([]);
  });

  it('is followed by the next one from where it ended', async () => {
    write(starter, {
      'package.json': manifest('1.2.0', '8.1.0'),
      'src/platform/probe.ts': lines('// asks whether old-shop is there', 'export const probe = 2;'),
    });
    commit(starter, 'Version 1.2.0');
    git(starter, 'tag', 'v1.2.0');
    const done = await upgrade(team, starter, 'v1.2.0');

    expect([done.from, done.conflicts]).toEqual(['1.1.0', []]);
    expect(read(team, 'src/platform/probe.ts')).toContain('probe = 2');
    // The base is the commit of the upgrade before, not one that is made again.
    expect(git(team, 'log', '--format=%s', '--grep', 'Record that this was made')).toBe(
      'Record that this was made from version 1.0.0 of the starter',
    );
  });

  it('leaves to the team what both have changed, but for what is generated', async () => {
    const other = fork('other');
    write(other, {
      'src/platform/pool.ts': read(other, 'src/platform/pool.ts').replace('wait = 5', 'wait = 7'),
      'deploy/kubernetes/rendered/dev.yaml': 'replicas: 3\n',
    });
    commit(other, 'Wait a little longer');
    const done = await upgrade(other, starter, 'v1.1.0');

    expect(done.conflicts).toEqual(['src/platform/pool.ts']);
    git(other, 'merge', '--abort');
    git(other, 'switch', '--quiet', 'main');
    expect(git(other, 'status', '--porcelain')).toBe('');
    expect(read(other, 'src/platform/pool.ts')).toContain('wait = 7');
  });
});

describe('an upgrade stops before it changes anything', () => {
  const refusal = async (root: string, source: string, tag: string): Promise<string> => {
    const state = (): string =>
      [git(root, 'rev-parse', 'HEAD'), git(root, 'branch'), git(root, 'status', '--porcelain')].join();
    const before = state();
    const failure = await upgrade(root, source, tag).catch((error: unknown) => error);
    expect(state()).toBe(before);
    return (failure as Error).message;
  };

  it.each([
    ['for a version that the starter lacks', () => starter, 'v9.0.0', 'has no version v9.0.0'],
    ['where there is no starter', () => join(folder, 'nowhere'), 'v2.0.0', 'cannot be read'],
    [
      'for the version that is there',
      () => starter,
      'v1.2.0',
      'made from version 1.2.0: v1.2.0 is not newer',
    ],
    ['for an older version', () => starter, 'v1.0.0', 'is not newer'],
  ])('%s', async (_, source, tag, message) => {
    expect(await refusal(team, source(), tag)).toContain(message);
  });

  it('with uncommitted changes', async () => {
    writeFileSync(join(team, 'notes.txt'), 'not committed');

    expect(await refusal(team, starter, 'v1.3.0')).toContain('uncommitted changes');
    expect(existsSync(join(team, 'notes.txt'))).toBe(true);
    rmSync(join(team, 'notes.txt'));
  });

  it('in a checkout that is no fork', async () => {
    expect(await refusal(starter, starter, 'v1.1.0')).toContain('this is no fork');
  });

  it('when the branch of the upgrade is there already', async () => {
    git(starter, 'tag', 'v1.2.1');
    git(team, 'branch', 'upgrade-v1.2.1');

    expect(await refusal(team, starter, 'v1.2.1')).toContain('is there already');
  });
});
