import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

export interface HeldLock {
  release(): void;
}

// Referenced until released: a connection that is garbage collected releases its lock.
const held = new Set<DatabaseSync>();

/**
 * Takes a lock between processes, or returns `undefined` when another process holds it.
 *
 * It is an exclusive SQLite transaction, whose lock belongs to the kernel: a holder that is killed with SIGKILL leaves no lock
 * behind, while a file with a process id would remain.
 */
export function tryLock(path: string): HeldLock | undefined {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return undefined;
    throw error;
  }
  writeFileSync(`${path}.holder`, String(process.pid));
  held.add(database);
  return {
    release: () => {
      held.delete(database);
      database.close();
    },
  };
}

/** Runs `work` while holding the lock, waiting for as long as another process holds it. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  let lock = tryLock(path);
  while (!lock) {
    await delay(100);
    lock = tryLock(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** The process that took the lock last, for messages. */
export function lockHolder(path: string): string {
  try {
    return readFileSync(`${path}.holder`, 'utf8');
  } catch {
    return 'unknown';
  }
}
