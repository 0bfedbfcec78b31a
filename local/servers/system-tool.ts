import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { localPath } from './paths.ts';

const run = promisify(execFile);

export interface SystemTool {
  command: string;
  /** The environment to start it with; names the libraries that were fetched with it. */
  env: NodeJS.ProcessEnv;
}

export interface ToolRequest {
  /** Names of the program, best first. */
  programs: string[];
  /** Debian packages that hold one of them, best first. */
  packages: string[];
  /** Called once when something has to be fetched, which takes seconds. */
  onProgress?: (message: string) => void;
}

/**
 * A program from PATH or, on Debian and Ubuntu, from the distribution's own package, fetched and unpacked under .local/
 * without root and without touching the system. On any other machine the error says what to install.
 */
export async function systemTool(request: ToolRequest): Promise<SystemTool> {
  const installed = request.programs.map(onPath).find((path) => path !== undefined);
  if (installed) return { command: installed, env: baseEnvironment() };
  return debianTool(request);
}

/** A server or load tool that this project can fetch. */
export function knownTool(
  name: keyof typeof knownTools,
  onProgress?: (message: string) => void,
): Promise<SystemTool> {
  return systemTool({ ...knownTools[name], onProgress });
}

const knownTools = {
  redis: { programs: ['redis-server', 'valkey-server'], packages: ['redis-server', 'valkey-server'] },
  haproxy: { programs: ['haproxy'], packages: ['haproxy'] },
  wrk: { programs: ['wrk'], packages: ['wrk'] },
  prometheus: { programs: ['prometheus'], packages: ['prometheus'] },
  pgbouncer: { programs: ['pgbouncer'], packages: ['pgbouncer'] },
} satisfies Record<string, ToolRequest>;

/** Only from the distribution's package manager; see `systemTool`. */
export async function debianTool(request: ToolRequest): Promise<SystemTool> {
  const [program] = request.programs;
  const root = localPath('tools', String(program));
  if (!unpackedTool(root, request.programs)) {
    if (!isDebianLike()) throw new Error(`${String(program)} is not installed: ${remedy(request)}`);
    await withLock(localPath('locks', 'tools'), async () => {
      if (unpackedTool(root, request.programs)) return;
      request.onProgress?.(`Downloading ${String(program)} from the packages of the distribution (once)`);
      await fetchPackage(request, root);
    });
  }
  const command = unpackedTool(root, request.programs);
  if (!command) throw new Error(`The package of ${String(program)} does not contain it: ${remedy(request)}`);
  return { command, env: { ...baseEnvironment(), LD_LIBRARY_PATH: libraryPath(root) } };
}

/** Where `systemTool` would find it, in words, without fetching it; and what to do where it would find it nowhere. */
export function howToGet(name: keyof typeof knownTools): { found: string | undefined; remedy: string } {
  const { programs } = knownTools[name];
  const installed = programs.map(onPath).find((path) => path !== undefined);
  const fetched = unpackedTool(localPath('tools', programs[0]!), programs) && 'fetched, under .local';
  const fetchable = isDebianLike() ? 'not here yet: fetched when it is needed' : undefined;
  return { found: installed ?? fetched ?? fetchable, remedy: remedy(knownTools[name]) };
}

function remedy({ programs, packages }: ToolRequest): string {
  const first = packages[0] ?? programs[0];
  const variable = programs[0] === 'redis-server' ? ', or set REDIS_URL to your own server' : '';
  return `install it (apt-get install ${first}, brew install ${first?.replace(/-server$/, '')})${variable}`;
}

function onPath(program: string): string | undefined {
  // A user's PATH on Debian does not include the sbin folders, where the servers are.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isDebianLike(): boolean {
  return onPath('apt-get') !== undefined && onPath('dpkg') !== undefined;
}

function baseEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: 'C' };
}

function unpackedTool(root: string, programs: string[]): string | undefined {
  return programs
    .flatMap((program) => ['usr/sbin', 'usr/bin', 'bin', 'sbin'].map((folder) => join(root, folder, program)))
    .find(isExecutable);
}

function libraryPath(root: string): string {
  const folders = ['usr/lib', 'lib']
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder));
  return folders
    .flatMap((folder) => [
      folder,
      ...readdirSync(folder)
        .filter((name) => name.includes('-linux-'))
        .map((name) => join(folder, name)),
    ])
    .join(':');
}

async function fetchPackage(request: ToolRequest, root: string): Promise<void> {
  const work = `${root}.partial`;
  await rm(work, { recursive: true, force: true });
  await mkdir(join(work, 'packages'), { recursive: true });
  try {
    let wanted: string[] | undefined;
    // Lists of an earlier run may be good enough; when they are missing or too old, new ones are fetched.
    for (const refresh of [false, true]) {
      if (refresh) await updateLists();
      wanted = await packagesToFetch(request.packages);
      if (wanted && (await download(wanted, join(work, 'packages')))) break;
      wanted = undefined;
    }
    if (!wanted) throw new Error('the package could not be downloaded');
    for (const file of await readdir(join(work, 'packages'))) {
      await run('dpkg', ['-x', join(work, 'packages', file), work]);
    }
    await rm(join(work, 'packages'), { recursive: true });
    await rm(root, { recursive: true, force: true });
    await rename(work, root);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    throw new Error(
      `${request.programs[0]} is not installed and could not be downloaded (${reason}): ${remedy(request)}`,
      {
        cause: error,
      },
    );
  }
}

function aptOptions(): string[] {
  const folder = localPath('apt');
  return [
    `Dir::State::Lists=${join(folder, 'lists')}`,
    `Dir::Cache=${join(folder, 'cache')}`,
    'Debug::NoLocking=1',
    'Acquire::Languages=none',
    'Acquire::http::Timeout=20',
    'Acquire::https::Timeout=20',
    'Acquire::Retries=2',
    // As root, apt would fetch as a user that may not enter this checkout.
    `APT::Sandbox::User=${process.getuid?.() === 0 ? 'root' : ''}`,
  ].flatMap((option) => ['-o', option]);
}

async function updateLists(): Promise<void> {
  await mkdir(localPath('apt', 'lists', 'partial'), { recursive: true });
  await mkdir(localPath('apt', 'cache', 'archives', 'partial'), { recursive: true });
  // One unreachable source among several is no reason to stop: only the package has to be found.
  await run('apt-get', [...aptOptions(), 'update'], { timeout: 180_000, env: aptEnvironment() }).catch(
    () => undefined,
  );
}

/** The package and those of its dependencies that this machine lacks; `undefined` when no list knows it. */
async function packagesToFetch(candidates: string[]): Promise<string[] | undefined> {
  if (!existsSync(localPath('apt', 'lists'))) return undefined;
  for (const candidate of candidates) {
    const args = [...aptOptions(), '--simulate', '--no-install-recommends', 'install', candidate];
    const planned = await run('apt-get', args, { env: aptEnvironment() }).catch(() => undefined);
    const names = planned?.stdout.match(/^Inst \S+/gm)?.map((line) => line.slice('Inst '.length));
    if (names?.length) return names;
  }
  return undefined;
}

async function download(names: string[], folder: string): Promise<boolean> {
  try {
    await run('apt-get', [...aptOptions(), 'download', ...names], {
      cwd: folder,
      timeout: 300_000,
      env: aptEnvironment(),
    });
    return true;
  } catch {
    return false;
  }
}

function aptEnvironment(): NodeJS.ProcessEnv {
  const proxies = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return {
    ...baseEnvironment(),
    DEBIAN_FRONTEND: 'noninteractive',
    ...Object.fromEntries(proxies.map((name) => [name, process.env[name]])),
  };
}
