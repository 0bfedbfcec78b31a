import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { guardProcess } from '../../local/servers/guard.ts';
import { forgetBuild } from './build.ts';
import type { LocalStack } from './local-stack.ts';
import { say, sayFailure, styled } from './terminal.ts';

/** What the compiler in its own process reports after each round. */
export interface CompilerRound {
  errors: string[];
  /** How many output files it wrote. */
  written: number;
}

/**
 * Compiles on change and starts the api and the worker again when that worked. While the sources do not compile, the
 * processes that run stay as they are.
 */
export async function watchSources(stack: LocalStack): Promise<never> {
  await forgetBuild();
  // A process of its own: the compiler keeps its event loop busy for seconds, and Ctrl-C has to be heard.
  const compiler = spawn(process.execPath, [join(import.meta.dirname, 'watch-compiler.ts')], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  if (compiler.pid) guardProcess({ pid: compiler.pid, signal: 'SIGKILL', withinMs: 1_000 });
  let restarting = Promise.resolve();
  let waiting = false;
  const restart = (): void => {
    // Changes that come while processes are being started are served by one more start.
    if (waiting) return;
    waiting = true;
    restarting = restarting.then(async () => {
      waiting = false;
      const started = Date.now();
      await stack.stopApps();
      await stack
        .startApps((_label, work) => work())
        .then(() => say(styled('dim', `restarted in ${((Date.now() - started) / 1000).toFixed(1)} s`)))
        .catch((error: unknown) => {
          sayFailure(error instanceof Error ? error.message : String(error));
          say(styled('dim', 'waiting for the next change'));
        });
    });
  };
  compiler.on('message', (round: CompilerRound) => {
    if (round.errors.length > 0) {
      say(round.errors.join('\n'));
      sayFailure(`${round.errors.length} error(s): not restarted`);
    } else if (round.written > 0) {
      restart();
    }
  });
  return new Promise((_resolve, reject) => {
    compiler.once('exit', (code) => reject(new Error(`The compiler ended unexpectedly (exit code ${code})`)));
  });
}
