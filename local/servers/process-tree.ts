import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Sends a signal to a process and everything below it.
 *
 * Found by parent id and not by process group: PostgreSQL's backends create their own sessions. The top process is stopped first,
 * so that it cannot start another child while its children are listed.
 */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  if (signal === 'SIGCONT') {
    for (const member of [...descendants(pid), pid]) send(member, signal);
    return;
  }
  if (!send(pid, 'SIGSTOP')) return;
  const reached = new Set<number>([pid]);
  for (;;) {
    const fresh = descendants(pid).filter((member) => !reached.has(member));
    if (fresh.length === 0) break;
    for (const member of fresh) {
      send(member, 'SIGSTOP');
      reached.add(member);
    }
  }
  if (signal === 'SIGSTOP') return;
  for (const member of reached) send(member, signal);
  for (const member of reached) send(member, 'SIGCONT');
}

/** Ends a process by a signal and, when it still exists after `withinMs`, with SIGKILL and its whole tree. */
export async function endTree(pid: number, signal: NodeJS.Signals, withinMs: number): Promise<void> {
  signalTree(pid, 'SIGCONT');
  send(pid, signal);
  const deadline = Date.now() + withinMs;
  while (isAlive(pid) && Date.now() < deadline) await delay(20);
  if (isAlive(pid)) signalTree(pid, 'SIGKILL');
}

/** True while the process exists and is not merely waiting to be reaped by its parent. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return statusOf(pid)?.state !== 'Z';
}

/** When the process started, in the kernel's own unit: distinguishes a process from a later one with the same id. */
export function startTimeOf(pid: number): string | undefined {
  return statusOf(pid)?.startTime;
}

function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const [child, parent] of allProcesses())
    children.set(parent, [...(children.get(parent) ?? []), child]);
  const found: number[] = [];
  const visit = (parent: number): void => {
    for (const child of children.get(parent) ?? []) {
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}

function allProcesses(): [pid: number, parent: number][] {
  if (process.platform !== 'linux') {
    const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
    return rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const parent = statusOf(Number(name))?.parent;
      return parent === undefined ? [] : [[Number(name), parent] as [number, number]];
    });
}

function statusOf(pid: number): { state: string; parent: number; startTime: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may itself hold spaces and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', parent: Number(fields[1]), startTime: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
