import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../local/servers/ports.ts';
import { localPath, repositoryRoot } from '../../local/servers/paths.ts';
import { privateDirectory, type PrivateDirectory } from '../../local/servers/private-directory.ts';
import { startTestStack, type TestStack } from '../../local/stack.ts';
import { waitFor } from '../../local/wait-for.ts';

/** As in a container: the first process of a PID namespace, for which the kernel drops each signal without a handler. */
const NAMESPACE = ['--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
const mayUnshare = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;

/** Says when a file is about to be loaded, and takes until another file is there, as a cold disk does. */
function slowToLoad(file: string, until: string): string {
  const hook = `import { existsSync } from 'node:fs';
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) {
      if (url.endsWith(${JSON.stringify(file)})) {
        process.stderr.write('loading\\n');
        const never = new Int32Array(new SharedArrayBuffer(4));
        while (!existsSync(${JSON.stringify(until)})) Atomics.wait(never, 0, 0, 20);
      }
      return next(url, context);
    } });`;
  return `--import=data:text/javascript,${encodeURIComponent(hook)}`;
}

describe.skipIf(!mayUnshare)('the first process of a container', () => {
  let stack: TestStack;
  let unshare: ChildProcess | undefined;
  let folder: PrivateDirectory;

  beforeAll(async () => {
    folder = await privateDirectory('pid1');
    stack = await startTestStack();
  });
  afterEach(() => unshare?.kill('SIGKILL'));
  afterAll(async () => {
    await stack?.stop();
    await folder?.remove();
  });

  it.each([
    { what: 'the api', args: ['main.js'], while: '/dist/api.app.js', code: 0 },
    { what: 'the worker', args: ['worker.js'], while: 'worker.app.js', code: 0 },
    { what: 'a command', args: ['cli.js', 'migrate'], while: 'database.commands.js', code: 143 },
  ])('obeys a SIGTERM while $what is still loading', async ({ args, while: file, code }) => {
    const ports = { PORT: String(await freePort()), MANAGEMENT_PORT: String(await freePort()) };
    const script = join(repositoryRoot, 'dist', args[0]!);
    const loaded = join(folder.path, args[0]!);
    unshare = spawn('unshare', [...NAMESPACE, process.execPath, script, ...args.slice(1)], {
      cwd: localPath('run'),
      env: { PATH: process.env.PATH, ...stack.env, ...ports, NODE_OPTIONS: slowToLoad(file, loaded) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = new Promise<number | null>((resolve) => unshare!.once('exit', resolve));
    let said = '';
    unshare.stderr!.on('data', (text: Buffer) => (said += text.toString()));
    await waitFor(() => said.includes('loading'), { what: 'the load' });
    process.kill(firstProcessIn(unshare), 'SIGTERM');
    await writeFile(loaded, '');
    // An api or worker that has nothing in hand ends well; a command that has not done its work does not.
    expect(await Promise.race([exited, slowEnd(60_000)])).toBe(code);
  });

  it('obeys a SIGTERM while it waits for PostgreSQL', async () => {
    const ports = { PORT: String(await freePort()), MANAGEMENT_PORT: String(await freePort()) };
    const DATABASE_URL = `postgresql://holdfast:x@127.0.0.1:${await freePort()}/holdfast`;
    unshare = spawn('unshare', [...NAMESPACE, process.execPath, join(repositoryRoot, 'dist/main.js')], {
      cwd: localPath('run'),
      env: { PATH: process.env.PATH, ...stack.env, ...ports, DATABASE_URL },
      stdio: 'ignore',
    });
    const exited = new Promise<number | null>((resolve) => unshare!.once('exit', resolve));
    const startup = `http://127.0.0.1:${ports.MANAGEMENT_PORT}/health/startup`;
    await waitFor(async () => (await fetch(startup)).status === 503, { what: 'the start' });
    process.kill(firstProcessIn(unshare), 'SIGTERM');
    expect(await Promise.race([exited, slowEnd(60_000)])).toBe(0);
  });
});

/** The pid, as seen from outside, of the process that is number 1 inside. */
function firstProcessIn({ pid }: ChildProcess): number {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  // A signal to process 0 would go to the tests themselves.
  if (!child) throw new Error('It has ended already');
  return child;
}

function slowEnd(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(resolve, ms, `no end within ${ms} ms`).unref());
}
