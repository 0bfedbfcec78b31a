import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { join } from 'node:path';

/**
 * Makes sure that nothing this process starts outlives it, even when it is ended by SIGKILL.
 *
 * A small watchdog process holds the other end of a pipe. As long as this process lives, the pipe stays open; when it
 * dies, in whatever way, the kernel closes the pipe and the watchdog ends what is still on its list. The watchdog has
 * a session of its own, so Ctrl-C in a terminal does not reach it.
 */
export interface Guarded {
  /** A process to end, by `signal` first and by SIGKILL after `withinMs`. */
  pid: number;
  signal: NodeJS.Signals;
  withinMs: number;
}

export type GuardCommand =
  | ({ op: 'guard' } & Guarded)
  | { op: 'release'; pid: number }
  | { op: 'remove-later'; path: string }
  | { op: 'removed'; path: string };

let pipe: Writable | undefined;

export function guardProcess(guarded: Guarded): void {
  tell({ op: 'guard', ...guarded });
}

export function releaseProcess(pid: number): void {
  tell({ op: 'release', pid });
}

/** A directory that must not stay behind. */
export function guardDirectory(path: string): void {
  tell({ op: 'remove-later', path });
}

export function releaseDirectory(path: string): void {
  tell({ op: 'removed', path });
}

function tell(command: GuardCommand): void {
  pipe ??= startWatchdog();
  pipe.write(`${JSON.stringify(command)}\n`);
}

function startWatchdog(): Writable {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    // No NODE_OPTIONS or coverage settings of the caller: the watchdog is not part of what is being run.
    env: { PATH: process.env.PATH },
  });
  child.unref();
  const { stdin } = child;
  (stdin as unknown as { unref(): void }).unref();
  stdin.on('error', () => undefined);
  return stdin;
}
