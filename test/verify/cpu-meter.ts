import { readFileSync, readdirSync } from 'node:fs';
import type { Stage } from './stage.ts';

/** The part that is the runner itself. */
export const GENERATOR = 'load generator';
/** Kernel ticks per second, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Columns of the first line of /proc/stat that belong to no process. */
const KERNEL = { interrupts: [5, 6], 'waiting for the disk': [4], 'stolen by the host': [7], idle: [3] };

/** Columns of the time of processes: user, nice, system. */
const BUSY = [0, 1, 2];

/** Measures processor time from now on, by part of the stage; empty where there is no /proc. */
export class CpuMeter {
  private readonly roots: [part: string, pid: number][];
  private readonly before = readProcesses();
  private readonly kernelBefore = readKernel();

  constructor(stage: Stage) {
    const { postgres, redis, sink, sandbox } = stage.stack;
    this.roots = [
      ...stage.apis.map(({ pid }): [string, number] => ['api', pid]),
      ...stage.workers.map(({ pid }): [string, number] => ['workers', pid]),
      ['PostgreSQL', postgres.pid],
      ['Redis', redis.pid],
      ['mail server', sink.pid],
      ['bank', sandbox.pid],
      [GENERATOR, process.pid],
    ];
  }

  /** Core-seconds of each part since the start. @param names of processes that are counted separately from their tree, by pid */
  coreSeconds(names: ReadonlyMap<number, string> = new Map()): Map<string, number> {
    const used = new Map<string, number>();
    const processes = readProcesses();
    for (const [part, root] of this.roots) {
      // The runner is the parent of everything: its own time is that of the load generator alone.
      const members = root === process.pid ? [root] : treeOf(root, processes);
      for (const pid of members) {
        const ticks = (processes.get(pid)?.ticks ?? 0) - (this.before.get(pid)?.ticks ?? 0);
        const name = names.get(pid) ?? part;
        used.set(name, (used.get(name) ?? 0) + ticks / TICKS_PER_SECOND);
      }
    }
    return used;
  }

  /** Core-seconds since the start of everything that runs on this machine. */
  get busySeconds(): number {
    const now = readKernel();
    return (
      BUSY.reduce((sum, at) => sum + (now[at] ?? 0) - (this.kernelBefore[at] ?? 0), 0) / TICKS_PER_SECOND
    );
  }

  /** Core-seconds since the start that belong to no process. Interrupts are mostly the network between the processes. */
  kernelSeconds(): Map<string, number> {
    const now = readKernel();
    return new Map(
      Object.entries(KERNEL).map(([what, columns]) => [
        what,
        columns.reduce((sum, at) => sum + (now[at] ?? 0) - (this.kernelBefore[at] ?? 0), 0) /
          TICKS_PER_SECOND,
      ]),
    );
  }
}

interface ProcessTimes {
  parent: number;
  /** User and system time, with that of children that have ended. */
  ticks: number;
}

function readProcesses(): Map<number, ProcessTimes> {
  const processes = new Map<number, ProcessTimes>();
  if (process.platform !== 'linux') return processes;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const own = Number(fields[11]) + Number(fields[12]);
      const ended = Number(name) === process.pid ? 0 : Number(fields[13]) + Number(fields[14]);
      processes.set(Number(name), { parent: Number(fields[1]), ticks: own + ended });
    } catch {
      // It ended while the list was being read.
    }
  }
  return processes;
}

/** user, nice, system, idle, iowait, irq, softirq, steal */
function readKernel(): number[] {
  if (process.platform !== 'linux') return [];
  const [all = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  return all.trim().split(/\s+/).slice(1).map(Number);
}

function treeOf(root: number, processes: ReadonlyMap<number, ProcessTimes>): number[] {
  const members = [root];
  for (const member of members) {
    for (const [pid, { parent }] of processes) if (parent === member) members.push(pid);
  }
  return members;
}
