/**
 * `npm start`: everything the product needs, on this machine, in the foreground. `npm run dev` (--watch) is the same
 * with the api and the worker started again whenever the sources change.
 */
import { endEverythingGuarded, guardLock } from '../local/servers/guard.ts';
import { lockHolder, tryLock, withLock } from '../local/servers/lock.ts';
import { build, BuildError, isBuildCurrent } from './lib/build.ts';
import { LocalStack, shownPath } from './lib/local-stack.ts';
import { loadDotEnv, localPorts, stackPath } from './lib/settings.ts';
import type { LocalPorts } from './lib/settings.ts';
import { say, sayFailure, StartFailure, step, styled } from './lib/terminal.ts';
import { watchSources } from './lib/watch.ts';

const watching = process.argv.includes('--watch');
let stack: LocalStack | undefined;
let running = false;
let ending = false;
let endingSince = 0;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!ending) void end(0, 'Stopping …');
    // Ctrl-C comes twice: from the terminal, and passed on by npm, which got it too.
    else if (Date.now() - endingSince > 700) void endNow();
  });
}
// A reader that has gone away (a closed pipe) must not take the stack down unsorted.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
endWithNpm();

try {
  await main();
} catch (error) {
  await end(1, wordsOf(error));
}

async function main(): Promise<void> {
  const started = Date.now();
  loadDotEnv();
  const lock = stackPath('locks', 'start');
  if (!tryLock(lock)) {
    throw new StartFailure(
      `The stack of this checkout is already running (process ${lockHolder(lock)}); use it, or stop it first`,
    );
  }
  // An earlier run that was killed has its servers ended by its watchdog; that may still be going on.
  const leftovers = stackPath('locks', 'watchdog');
  await withLock(leftovers, async () => undefined);
  guardLock(leftovers);

  const ports = await localPorts();
  stack = new LocalStack(ports, (message, part) => {
    // While somebody works on the code, its next version may well live.
    if (watching && running && part === 'app') sayFailure(`${message}; waiting for the next change`);
    else void end(1, message);
  });
  // Servers and the compiler do not need each other; a failure of either waits for the other to be known.
  const [servers, built] = await Promise.allSettled([stack.startServers(), buildWhenStale()]);
  if (servers.status === 'rejected') throw servers.reason;
  if (built.status === 'rejected') throw built.reason;
  await step('Schema migrated', () => theStack().cli('migrate'));
  await step('Demo data', () => theStack().cli('seed:demo'));
  await stack.startApps();
  running = true;
  tellWhatIsUp(ports, Date.now() - started);
  if (watching) await watchSources(stack);
}

async function buildWhenStale(): Promise<void> {
  if (isBuildCurrent()) return;
  await step('Building the product', () => build({ onlyIfStale: true }));
}

function theStack(): LocalStack {
  if (!stack || ending) throw new StartFailure('Stopped');
  return stack;
}

/** Ends everything in order. What was still being started is not known to the stack, but to the guard. */
async function end(code: number, message: string): Promise<void> {
  if (ending) return;
  ending = true;
  endingSince = Date.now();
  if (code === 0) say(`\n${message}`);
  else sayFailure(message);
  const wasRunning = running;
  await stack?.stop().catch((error: unknown) => sayFailure(wordsOf(error)));
  await endEverythingGuarded();
  if (code === 0) say(wasRunning ? 'Everything has stopped.' : 'Stopped before everything had started.');
  process.exit(code);
}

/** The second request to stop: no more waiting for anyone. The guard goes on after this process has left. */
async function endNow(): Promise<void> {
  sayFailure('Stopping immediately');
  await stack?.kill();
  process.exit(130);
}

function wordsOf(error: unknown): string {
  if (error instanceof StartFailure) return error.message;
  if (error instanceof BuildError) {
    const lacksPackage = /Cannot find module '[^.]/.test(error.message);
    const remedy = lacksPackage ? '\nA package is not installed: run npm ci' : '';
    return `The product does not compile:\n${error.message}${remedy}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** npm that is killed cannot pass a signal on: then nobody is left in the foreground to end this for. */
function endWithNpm(): void {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && !ending) void end(1, 'npm has exited; stopping');
  }, 1_000).unref();
}

function tellWhatIsUp(ports: LocalPorts, tookMs: number): void {
  const supporting = stack?.supporting ?? {};
  const api = `http://localhost:${ports.api}`;
  const rows: [string, string | undefined][] = [
    ['API documentation', `${api}/docs`],
    ['API', api],
    ['Health and metrics, api', `http://localhost:${ports.management}/health/ready  /metrics`],
    ['Health and metrics, worker', `http://localhost:${ports.workerManagement}/health/ready  /metrics`],
    ['Accounts', 'admin@example.com, customer@example.com'],
    ['Their password', 'holdfast-demo-password'],
    // only: notifications
    ['Sent mail', supporting.mailDirectory && `${shownPath(supporting.mailDirectory)}/*.eml`],
    // end
    // only: payments
    ['Payment provider', supporting.sandboxUrl && `${supporting.sandboxUrl}/control`],
    // end
    ['PostgreSQL', supporting.databaseUrl],
    ['Redis', supporting.redisUrl],
    ['Full logs', shownPath(stackPath('logs'))],
  ];
  say();
  say(styled('bold', `Holdfast is up after ${(tookMs / 1000).toFixed(1)} s`));
  for (const [label, value] of rows) if (value) say(`  ${label.padEnd(27)} ${value}`);
  say(styled('dim', watching ? 'Sources are watched. Ctrl-C stops everything.' : 'Ctrl-C stops everything.'));
  say();
}
