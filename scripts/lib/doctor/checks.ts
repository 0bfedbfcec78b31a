import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { runCli } from '../../../local/processes.ts';
import { lockHolder, tryLock } from '../../../local/servers/lock.ts';
import { repositoryRoot } from '../../../local/servers/paths.ts';
import { postgresBinaries } from '../../../local/servers/postgres-data.ts';
import { isPortFree } from '../../../local/servers/ports.ts';
import { howToGet } from '../../../local/servers/system-tool.ts';
import { isBuildCurrent } from '../build.ts';
import { isGiven, loadDotEnv, stackPath } from '../settings.ts';
import { driftOf, type Lockfile } from './lockfile.ts';

const run = promisify(execFile);

export interface Finding {
  state: 'ok' | 'warning' | 'wrong';
  detail: string;
  /** What to do about it, as a command where there is one. */
  remedy?: string;
}

export interface Check {
  label: string;
  check: () => Promise<Finding>;
}

const ok = (detail: string): Finding => ({ state: 'ok', detail });
const warning = (detail: string, remedy?: string): Finding => ({ state: 'warning', detail, remedy });
const wrong = (detail: string, remedy: string): Finding => ({ state: 'wrong', detail, remedy });

/** Below this builds and private servers may fail in the middle. */
const ENOUGH_BYTES = 2 * 1024 ** 3;

/** In the order in which one stands on the other. */
export const availableChecks: Check[] = [
  { label: 'Node', check: node },
  { label: 'Packages', check: packages },
  { label: 'Git', check: git },
  { label: 'Disk', check: disk },
  { label: 'PostgreSQL', check: postgres },
  { label: 'Redis', check: redis },
  { label: 'Ports', check: ports },
  { label: 'Settings', check: settings },
  { label: 'Schema', check: schema },
];

async function node(): Promise<Finding> {
  const wanted = fileText('.node-version').trim();
  if (process.versions.node === wanted) return ok(`${wanted}, from node_modules`);
  return wrong(
    `${process.versions.node}; this project runs on its own ${wanted}`,
    'npm ci, then npm run doctor',
  );
}

async function packages(): Promise<Finding> {
  const installed = join(repositoryRoot, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return wrong('not installed', 'npm ci');
  const drift = driftOf(
    JSON.parse(fileText('package-lock.json')) as Lockfile,
    JSON.parse(readFileSync(installed, 'utf8')) as Lockfile,
  );
  if (drift.length === 0) return ok('as in package-lock.json');
  return wrong(`${drift.length} differ from package-lock.json, such as ${drift[0]}`, 'npm ci');
}

async function git(): Promise<Finding> {
  const ask = async (...args: string[]): Promise<string> =>
    (await run('git', args, { cwd: repositoryRoot })).stdout.trim();
  const directory = await ask('rev-parse', '--absolute-git-dir').catch(() => undefined);
  if (directory === undefined) return warning('no git checkout');
  const unfinished = [
    ['MERGE_HEAD', 'a merge', 'git merge --continue, or --abort'],
    ['rebase-merge', 'a rebase', 'git rebase --continue, or --abort'],
    ['rebase-apply', 'a rebase', 'git rebase --continue, or --abort'],
  ].find(([file]) => existsSync(join(directory, file!)));
  if (unfinished) return wrong(`${unfinished[1]} is not finished`, unfinished[2]!);
  const branch = (await ask('branch', '--show-current')) || 'no branch';
  const changes = (await ask('status', '--porcelain')).split('\n').filter(Boolean).length;
  return ok(changes === 0 ? `${branch}, nothing uncommitted` : `${branch}, ${changes} uncommitted`);
}

async function disk(): Promise<Finding> {
  for (const folder of [repositoryRoot, tmpdir()]) {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free at ${folder}`;
    if (free < ENOUGH_BYTES) return warning(detail, 'make room: 2 GiB are enough for builds and tests');
  }
  return ok('enough');
}

async function postgres(): Promise<Finding> {
  loadDotEnv();
  if (isGiven('DATABASE_URL')) return ok('yours, from DATABASE_URL');
  const { version } = await postgresBinaries();
  return ok(`${version}, from node_modules`);
}

async function redis(): Promise<Finding> {
  if (isGiven('REDIS_URL')) return ok('yours, from REDIS_URL');
  const { found, remedy } = howToGet('redis');
  return found ? ok(found) : wrong('neither redis-server nor valkey-server is on the PATH', remedy);
}

async function ports(): Promise<Finding> {
  const wanted = { PORT: 3000, MANAGEMENT_PORT: 3001, WORKER_MANAGEMENT_PORT: 3002 };
  const taken: string[] = [];
  for (const [name, usual] of Object.entries(wanted)) {
    const port = Number(process.env[name] ?? usual);
    if (!(await isPortFree(port))) taken.push(`${name} ${port}`);
  }
  if (taken.length === 0) return ok('free');
  const lock = stackPath('locks', 'start');
  const free = tryLock(lock);
  free?.release();
  if (!free) return ok(`in use by npm start of this checkout (process ${lockHolder(lock)})`);
  return warning(`in use: ${taken.join(', ')}`, 'choose others for npm start, such as PORT=3100');
}

async function settings(): Promise<Finding> {
  const file = join(repositoryRoot, '.env');
  if (!existsSync(file)) return ok('no .env: npm start needs none');
  const known = new Set(
    [...fileText('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name),
  );
  const unknown = Object.keys(parseEnv(readFileSync(file, 'utf8'))).filter(
    (name) => !known.has(name) && !known.has(name.replace(/_FILE$/, '')),
  );
  if (unknown.length === 0) return ok('.env has known variables only');
  return warning(`.env has unknown variables: ${unknown.join(', ')}`, 'compare with .env.example');
}

async function schema(): Promise<Finding> {
  if (!isGiven('DATABASE_URL')) return ok('npm start migrates its own PostgreSQL');
  if (!isBuildCurrent()) return warning('not checked: the build is older than the sources', 'npm run build');
  const { code, stdout, stderr } = await runCli(['migrate:status'], {
    NODE_ENV: 'development',
    ...process.env,
  });
  const said = (stderr.trim() || stdout.trim()).split('\n').at(-1) ?? '';
  return code === 0 ? ok('up to date') : wrong(said, 'node dist/cli.js migrate');
}

function fileText(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}
