/**
 * The other end of guard.ts: reads commands from standard input, and when that closes ends everything on its list, last started
 * first, and exits.
 */
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { GuardCommand, Guarded } from './guard.ts';
import { tryLock } from './lock.ts';
import { unmount } from './mount.ts';
import { endTree, isAlive, startTimeOf } from './process-tree.ts';

const processes = new Map<number, Guarded & { startTime: string | undefined }>();
const directories = new Set<string>();
const mounts = new Set<string>();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const command = JSON.parse(line) as GuardCommand;
  switch (command.op) {
    case 'guard':
      processes.set(command.pid, { ...command, startTime: startTimeOf(command.pid) });
      break;
    case 'release':
      processes.delete(command.pid);
      break;
    case 'remove-later':
      directories.add(command.path);
      break;
    case 'unmount-later':
      mounts.add(command.path);
      break;
    case 'removed':
      directories.delete(command.path);
      mounts.delete(command.path);
      break;
    case 'lock':
      // Never released: the kernel does that when this process ends.
      tryLock(command.path);
      break;
  }
});
lines.on('close', () => void endAll());

async function endAll(): Promise<void> {
  for (const { pid, signal, withinMs, startTime } of [...processes.values()].reverse()) {
    if (isAlive(pid) && startTimeOf(pid) === startTime) await endTree(pid, signal, withinMs);
  }
  for (const path of mounts) await unmount(path).catch(() => undefined);
  for (const path of directories) await rm(path, { recursive: true, force: true, maxRetries: 3 });
}
