import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { examplesOf } from '../remove-features.ts';
import type { Answers } from './answers.ts';
import { ForkFailure } from './failure.ts';
import { CODEMODS, recordOf, RECORD } from './fork.ts';

/** Changes a file of a team's own code for a new version; stands in `scripts/codemods/<version>/<number>-<what>.ts` of the starter. */
export type Codemod = (path: string, text: string) => string;

/** Names the version in the message of each vendor commit, so that the next upgrade finds it. */
const TRAILER = 'Starter-Version';

/** Written anew after every upgrade, so a conflict in them means nothing. */
const GENERATED =
  /^(\.env\.example|docs\/(configuration|problems)\.md|package-lock\.json|deploy\/kubernetes\/rendered\/.*)$/;

export interface Upgraded {
  from: string;
  branch: string;
  /** Codemods that ran, with the files that each changed. */
  codemods: { name: string; changed: string[] }[];
  /** Files that a person has to merge. */
  conflicts: string[];
}

/**
 * Brings a fork to another version of the starter, on a new branch. The same fork is made of both versions, with the recorded
 * answers; the second is committed as a child of the first, and merged. So names and removed features never conflict.
 * @param source the starter: a path or the address of a remote, with its versions as tags
 * @param tag such as `v1.2.0`
 * @throws ForkFailure before anything is changed
 */
export async function upgrade(root: string, source: string, tag: string): Promise<Upgraded> {
  const git = gitIn(root);
  const record = recordOf(root);
  if (!record)
    throw new ForkFailure(
      `There is no ${RECORD}: this is no fork. npm run fork makes one, and records its answers.`,
    );
  requireClean(git);
  const version = tag.replace(/^v/, '');
  if (!newer(version, record.version))
    throw new ForkFailure(`This was made from version ${record.version}: ${tag} is not newer.`);
  const branch = `upgrade-${tag}`;
  if (git('branch', '--list', branch) !== '')
    throw new ForkFailure(
      `The branch ${branch} is there already: merge it, or delete it with git branch -D ${branch}.`,
    );

  const folder = mkdtempSync(join(tmpdir(), 'upgrade-'));
  try {
    const [old, next] = [join(folder, 'old'), join(folder, 'new')];
    checkOut(source, `v${record.version}`, old);
    checkOut(source, tag, next);
    const codemods = await codemodsOf(next, record.version, version);
    const known = examplesOf(old);
    const added = examplesOf(next).filter((name) => !known.includes(name));
    const removed = record.answers.removed.filter((name) => examplesOf(next).includes(name));
    const answers = { ...record.answers, removed: [...removed, ...added].toSorted() };
    const [before, after] = await Promise.all([
      forkedTree(root, source, old, record.answers),
      forkedTree(root, source, next, answers),
    ]);
    git('switch', '--quiet', '--create', branch);
    const base = vendorCommit(git, record.version) ?? adopt(git, before, record.version);
    const vendor = git('commit-tree', after, '-p', base, '-m', message(version));
    return {
      from: record.version,
      branch,
      codemods: runCodemods(root, git, codemods, after),
      conflicts: merge(git, vendor, tag),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Git = (...args: string[]) => string;

function gitIn(cwd: string, env: NodeJS.ProcessEnv = {}): Git {
  return (...args) =>
    execFileSync('git', args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64e6,
      env: { ...process.env, ...env },
    }).trim();
}

function requireClean(git: Git): void {
  if (git('status', '--porcelain') !== '')
    throw new ForkFailure('There are uncommitted changes: commit or remove them first.');
}

/** Compares numbers as numbers: 1.10.0 is newer than 1.9.0. */
function newer(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) > 0;
}

function checkOut(source: string, tag: string, to: string): void {
  try {
    gitIn(tmpdir())('clone', '--quiet', '--depth', '1', '--branch', tag, addressOf(source), to);
  } catch (error) {
    throw new ForkFailure(
      `${source} has no version ${tag}, or cannot be read: ${(error as { stderr: string }).stderr}`,
      {
        cause: error,
      },
    );
  }
}

/** A path is copied like a remote: git ignores --depth for a plain one. */
function addressOf(source: string): string {
  return existsSync(source) ? pathToFileURL(source).href : source;
}

/** Makes the fork in a checkout of the starter, by the checkout's own command. @returns its tree, in the repository at `root` */
async function forkedTree(root: string, source: string, checkout: string, answers: Answers): Promise<string> {
  const installed = resolve(source, 'node_modules');
  const shared =
    existsSync(installed) && sameText(join(source, 'package-lock.json'), join(checkout, 'package-lock.json'));
  if (shared) symlinkSync(installed, join(checkout, 'node_modules'));
  else await run(checkout, 'npm', ['ci', '--no-audit', '--no-fund']);
  // The ignored folder is a link here, which the pattern of a folder does not match.
  appendFileSync(join(checkout, '.git/info/exclude'), '/node_modules\n');
  const { name, title, description, holder, removed } = answers;
  const flags = { name, title, description, holder, remove: removed.join(',') };
  await run(checkout, 'npm', [
    ...['run', 'fork', '--'],
    ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
  ]);
  rmSync(join(checkout, 'node_modules'), { recursive: true, force: true });
  const git = gitIn(checkout, {
    GIT_DIR: gitIn(root)('rev-parse', '--absolute-git-dir'),
    GIT_INDEX_FILE: `${checkout}.index`,
    GIT_WORK_TREE: checkout,
  });
  git('add', '--all', '.');
  return git('write-tree');
}

/** The commit of the fork of this version that an earlier upgrade made. */
function vendorCommit(git: Git, version: string): string | undefined {
  const found = git(
    'log',
    '-1',
    '--format=%H',
    '--fixed-strings',
    `--grep=${TRAILER}: ${version}`,
    '--no-merges',
  );
  return found === '' ? undefined : found;
}

/** Records in the history what the fork was made from, so that git merges against it. Changes no file. */
function adopt(git: Git, tree: string, version: string): string {
  const commit = git('commit-tree', tree, '-m', message(version));
  const what = `Record that this was made from version ${version} of the starter`;
  git('merge', '--quiet', '--strategy=ours', '--allow-unrelated-histories', '-m', what, commit);
  return commit;
}

function message(version: string): string {
  return `Version ${version} of the starter, as this fork has it\n\n${TRAILER}: ${version}`;
}

/** Runs codemods on the files that only the team has, and commits what they change. */
function runCodemods(
  root: string,
  git: Git,
  codemods: NamedCodemod[],
  vendorTree: string,
): Upgraded['codemods'] {
  const files = (tree: string) => git('ls-tree', '-r', '--name-only', '-z', tree).split('\0').filter(Boolean);
  const theirs = new Set(files(vendorTree));
  const own = files('HEAD').filter((path) => !theirs.has(path));
  const ran = codemods.map(({ name, codemod }) => {
    const changed = own.filter((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const rewritten = text.includes('\0') ? text : codemod(path, text);
      if (rewritten !== text) writeFileSync(join(root, path), rewritten);
      return rewritten !== text;
    });
    return { name, changed };
  });
  const changed = ran.flatMap((codemod) => codemod.changed);
  if (changed.length > 0)
    git(
      'commit',
      '--quiet',
      '--all',
      '-m',
      `Run the codemods of the starter: ${ran.map(({ name }) => name).join(', ')}`,
    );
  return ran;
}

interface NamedCodemod {
  name: string;
  codemod: Codemod;
}

/** Those of all versions in between, oldest first. */
async function codemodsOf(checkout: string, after: string, to: string): Promise<NamedCodemod[]> {
  const order = new Intl.Collator('en', { numeric: true });
  const names = globSync('*/*.ts', { cwd: join(checkout, CODEMODS) })
    .filter((name) => newer(dirname(name), after) && !newer(dirname(name), to))
    .toSorted(order.compare);
  return Promise.all(
    names.map(async (name) => {
      const module = (await import(pathToFileURL(join(checkout, CODEMODS, name)).href)) as {
        default: Codemod;
      };
      return { name, codemod: module.default };
    }),
  );
}

/** @returns files that a person has to merge; none when the merge is committed */
function merge(git: Git, vendor: string, tag: string): string[] {
  try {
    git('merge', '--quiet', '--no-ff', '-m', `Upgrade to ${tag} of the starter`, vendor);
    return [];
  } catch (error) {
    if (!existsSync(git('rev-parse', '--path-format=absolute', '--git-path', 'MERGE_HEAD')))
      throw new ForkFailure(`git merge failed: ${(error as { stderr: string }).stderr}`, { cause: error });
    const unmerged = () => git('diff', '--name-only', '--diff-filter=U').split('\n').filter(Boolean);
    for (const path of unmerged().filter((name) => GENERATED.test(name))) {
      git('checkout', '--ours', '--', path);
      git('add', path);
    }
    const left = unmerged();
    if (left.length === 0) git('commit', '--quiet', '--no-edit');
    return left;
  }
}

function sameText(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && readFileSync(one, 'utf8') === readFileSync(other, 'utf8');
}

async function run(cwd: string, command: string, args: string[]): Promise<void> {
  try {
    await promisify(execFile)(command, args, { cwd, maxBuffer: 64e6 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new ForkFailure(`${command} ${args.join(' ')} failed in a copy:\n${stdout}${stderr}`, {
      cause: error,
    });
  }
}
