import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/**
 * Makes sure that nothing this process starts outlives it, even when it is ended by SIGKILL.
 *
 * A small watchdog process holds the other end of a pipe. As long as this process lives, the pipe stays open; when it dies, in
 * whatever way, the kernel closes the pipe and the watchdog ends everything that is still on its list. The watchdog has its own
 * session, so Ctrl-C in a terminal does not reach it.
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
  | { op: 'unmount-later'; path: string }
  | { op: 'removed'; path: string }
  | { op: 'lock'; path: string };

let watchdog: ChildProcess | undefined;

export function guardProcess(guarded: Guarded): void {
  tell({ op: 'guard', ...guarded });
}

export function releaseProcess(pid: number): void {
  tell({ op: 'release', pid });
}

/** A directory that must not remain. */
export function guardDirectory(path: string): void {
  tell({ op: 'remove-later', path });
}

/** A directory on which a file system is mounted: neither must remain. */
export function guardMount(path: string): void {
  tell({ op: 'unmount-later', path });
}

export function releaseDirectory(path: string): void {
  tell({ op: 'removed', path });
}

/**
 * Has the watchdog hold the lock `path` until everything on its list is gone: the next holder of that lock knows that nothing of
 * an earlier run is left, even when that run was killed.
 */
export function guardLock(path: string): void {
  tell({ op: 'lock', path });
}

/** Ends everything on the list now, as if this process had died, and waits for that. */
export async function endEverythingGuarded(): Promise<void> {
  const child = watchdog;
  watchdog = undefined;
  if (!child?.stdin || child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.ref();
  child.stdin.end();
  await gone;
}

function tell(command: GuardCommand): void {
  watchdog ??= startWatchdog();
  watchdog.stdin?.write(`${JSON.stringify(command)}\n`);
}

function startWatchdog(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    // No NODE_OPTIONS or coverage settings of the caller: the watchdog is not part of the measured program.
    env: { PATH: process.env.PATH },
  });
  child.unref();
  // The pipe must not keep this process alive: it serves to notice its end.
  (child.stdin as unknown as { unref(): void }).unref();
  child.stdin.on('error', () => undefined);
  return child;
}
