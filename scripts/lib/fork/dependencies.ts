import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Versions = Record<string, string>;

interface Manifest {
  dependencies: Versions;
  devDependencies: Versions;
  [field: string]: unknown;
}

/** Code that runs in production, and the rest. */
const SHIPPED = ['src', 'migrations'];
const OURS = ['test', 'bench', 'local', 'scripts'];

/**
 * Packages that only removed features imported go; those that tests still import become development dependencies. Packages that
 * no code imports by name (a driver, a peer) are nobody's, and stay.
 * @returns files that changed
 */
export function pruneDependencies(root: string, before = importsAtHead(root)): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const shipped = importsIn(root, SHIPPED);
  const ours = importsIn(root, OURS);
  const lost = Object.keys(manifest.dependencies).filter((name) => before.has(name) && !shipped.has(name));
  const development = Object.keys(manifest.devDependencies).filter(
    (name) => name.startsWith('@types/') && lost.includes(name.slice('@types/'.length)),
  );
  if (lost.length === 0) return [];
  for (const name of lost) {
    if (ours.has(name)) manifest.devDependencies[name] = manifest.dependencies[name]!;
    delete manifest.dependencies[name];
  }
  for (const name of development)
    if (!ours.has(name.slice('@types/'.length))) delete manifest.devDependencies[name];
  manifest.devDependencies = Object.fromEntries(
    Object.entries(manifest.devDependencies).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  writeFileSync(join(root, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--offline', '--no-audit'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return ['package.json', 'package-lock.json'];
}

/** What shipped code imported before anything was removed. */
function importsAtHead(root: string): Set<string> {
  const found = execFileSync('git', ['grep', '-hE', IMPORT.source, 'HEAD', '--', ...SHIPPED], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64e6,
  });
  return packagesIn(found);
}

function importsIn(root: string, folders: string[]): Set<string> {
  const texts = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.m?ts$|\.mjs$/.test(path))
      .map((path) => readFileSync(join(root, folder, path), 'utf8')),
  );
  return packagesIn(texts.join('\n'));
}

const IMPORT = /(from|import\(|import) ?'[^'.]/;

function packagesIn(text: string): Set<string> {
  const specifiers = text.matchAll(/(?:from|import\(|import) ?'(@[^/']+\/[^/']+|[^./'@][^/']*)/g);
  return new Set([...specifiers].map(([, name]) => name!));
}
