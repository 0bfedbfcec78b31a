import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RELEASED_API } from '../api/released.ts';
import { removeFeatures } from '../remove-features.ts';
import type { Answers } from './answers.ts';
import { BEFORE_THE_FORK, withoutMarked } from './marks.ts';
import { pruneDependencies } from './dependencies.ts';
import { renamed, type Names } from './rename.ts';
import { rewriteTexts } from './texts.ts';

/** How the fork was made: which version of the starter, and the answers. An upgrade makes the same fork of the next version. */
export const RECORD = 'holdfast.json';

/** Changes for the code of forks, one folder for each version. */
export const CODEMODS = 'scripts/codemods';

/** What the starter needs to release versions and to check that it can be forked. */
const STARTER_ONLY = [RELEASED_API, CODEMODS, '.ci/fork'];

export interface ForkRecord {
  version: string;
  answers: Answers;
}

export interface Forked {
  /** With the reason. */
  removed: { path: string; reason: string }[];
  changed: string[];
}

/** @returns undefined before a fork */
export function recordOf(root: string): ForkRecord | undefined {
  const file = join(root, RECORD);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ForkRecord) : undefined;
}

/**
 * Makes the tree at `root` a fork: features removed, marks applied, names changed, licence and changelog begun anew, the answers
 * recorded. The tree must be the starter's, in git.
 * @throws RemovalFailure before anything is changed, when a feature that stays stands on one that goes
 */
export function fork(root: string, answers: Answers): Forked {
  const { removed: features } = answers;
  const { version } = manifestOf(root);
  const gone = new Set([...features, BEFORE_THE_FORK]);
  const removal = features.length > 0 ? removeFeatures(root, features) : undefined;
  const changed = new Set(removal?.edits.keys());
  const from = namesOf(root);
  const write = (path: string, text: string): void => {
    if (existsSync(join(root, path)) && read(root, path) === text) return;
    writeFileSync(join(root, path), text);
    changed.add(path);
  };
  const ours = STARTER_ONLY.filter((path) => existsSync(join(root, path)));
  for (const path of ours) rmSync(join(root, path), { recursive: true });
  const rewritten = rewriteTexts(root, (path, text) =>
    renamed(withoutMarked(path, text, gone, answers.description), from, answers),
  );
  for (const path of rewritten) changed.add(path);
  write('src/product.ts', described(read(root, 'src/product.ts'), answers));
  const own = { version: FIRST_VERSION };
  const scripts = scriptsLeft(root);
  write('package.json', json({ ...manifestOf(root), description: answers.description, ...own, scripts }));
  const lock = JSON.parse(read(root, 'package-lock.json')) as Lockfile;
  write(
    'package-lock.json',
    json({ ...lock, ...own, packages: { ...lock.packages, '': { ...lock.packages[''], ...own } } }),
  );
  write('LICENSE', licensed(read(root, 'LICENSE'), answers.holder));
  write('CHANGELOG.md', CHANGELOG);
  for (const path of pruneDependencies(root)) changed.add(path);
  write(RECORD, json({ version, answers } satisfies ForkRecord));
  const released = ours.map((path) => ({ path, reason: 'of the starter alone' }));
  return { removed: [...(removal?.files ?? []), ...released], changed: [...changed].toSorted() };
}

/** Of a fork: it has released nothing. */
const FIRST_VERSION = '0.1.0';

interface Lockfile {
  packages: Record<string, object>;
}

const CHANGELOG = `# Changelog

## Unreleased

- Begun from a starter; \`${RECORD}\` records its version and the answers.
`;

function namesOf(root: string): Names {
  const text = read(root, 'src/product.ts');
  const [, name] = /\bname: '([^']+)'/.exec(text) ?? [];
  const [, title] = /\btitle: '([^']+)'/.exec(text) ?? [];
  if (!name || !title) throw new Error('src/product.ts names no product');
  return { name, title };
}

function described(text: string, { description }: Answers): string {
  return text.replace(/\bdescription: '[^']*'/, () => `description: ${quoted(description)}`);
}

function licensed(text: string, holder: string): string {
  const year = new Date().getFullYear();
  return text.replace(/^(?=Copyright )/m, () => `Copyright (c) ${year} ${holder}\n`);
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}

interface Manifest {
  version: string;
  scripts: Record<string, string>;
  [field: string]: unknown;
}

function manifestOf(root: string): Manifest {
  return JSON.parse(read(root, 'package.json')) as Manifest;
}

/** The scripts of package.json whose file is still there. */
function scriptsLeft(root: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(manifestOf(root).scripts).filter(([, command]) => {
      const [, file] = /^(?:exec node )?(scripts\/\S+|\.ci\/\S+)$/.exec(command) ?? [];
      return file === undefined || existsSync(join(root, file));
    }),
  );
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
