import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { guardProcess, releaseProcess } from '../../local/servers/guard.ts';
import { withLock } from '../../local/servers/lock.ts';
import { localPath, repositoryRoot } from '../../local/servers/paths.ts';

const dist = join(repositoryRoot, 'dist');
const partial = join(repositoryRoot, 'dist.partial');
const stampFile = join(dist, '.stamp');

/** The TypeScript projects that make up the product, and where each one's output goes. */
export const buildProjects = [
  { config: 'tsconfig.build.json', output: '' },
  { config: 'tsconfig.migrations.json', output: 'migrations' },
];

/** The compiler's complaints, as it prints them. */
export class BuildError extends Error {}

/** True when `dist` was built from exactly the sources that are here. */
export function isBuildCurrent(): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint();
}

/** To be called before anyone writes into `dist` by other means: the next build starts from nothing. */
export async function forgetBuild(): Promise<void> {
  await rm(stampFile, { force: true });
}

/**
 * Compiles into a folder beside `dist` and swaps the two when that worked: a failed build leaves the old one, a
 * deleted source leaves no output behind, and processes that run from `dist` never see half of it.
 */
export async function build(options: { onlyIfStale?: boolean } = {}): Promise<void> {
  await withLock(localPath('locks', 'build'), async () => {
    // Someone else may have built while this process waited.
    if (options.onlyIfStale && isBuildCurrent()) return;
    const stamp = fingerprint();
    await rm(partial, { recursive: true, force: true });
    await Promise.all(buildProjects.map((project) => compile(project.config, join(partial, project.output))));
    await writeFile(join(partial, '.stamp'), stamp);
    const old = join(repositoryRoot, 'dist.old');
    await rm(old, { recursive: true, force: true });
    if (existsSync(dist)) await rename(dist, old);
    await rename(partial, dist);
    await rm(old, { recursive: true, force: true });
  });
}

async function compile(config: string, outDir: string): Promise<void> {
  const compiler = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['-p', config, '--outDir', outDir, '--incremental', 'false', '--tsBuildInfoFile', 'null'];
  const child = spawn(process.execPath, [compiler, ...flags, '--pretty', 'false'], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid) guardProcess({ pid: child.pid, signal: 'SIGKILL', withinMs: 1_000 });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (child.pid) releaseProcess(child.pid);
  if (code !== 0) throw new BuildError(said.trim() || `tsc ended with ${code}`);
}

/** Names, sizes and times of everything the output depends on. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const sources = [
    ...filesBelow(join(repositoryRoot, 'src')),
    ...filesBelow(join(repositoryRoot, 'migrations')),
  ];
  const settings = ['tsconfig.json', ...buildProjects.map(({ config }) => config), 'package-lock.json'];
  for (const file of [...sources, ...settings.map((name) => join(repositoryRoot, name))]) {
    if (file.endsWith('.spec.ts') || !existsSync(file)) continue;
    const { size, mtimeMs } = statSync(file);
    hash.update(`${relative(repositoryRoot, file)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
