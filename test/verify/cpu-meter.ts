import { readFileSync, readdirSync } from 'node:fs';
import type { Stage } from './stage.ts';

/** Kernel ticks per second, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Where the processor's time goes between two moments, by part of the stage; empty where there is no /proc. */
export class CpuMeter {
  private readonly roots: [part: string, pid: number][];
  private readonly before: Map<string, number>;
  private readonly startedAt = performance.now();

  constructor(stage: Stage) {
    const { postgres, redis, sink, sandbox } = stage.stack;
    this.roots = [
      ...stage.apis.map(({ pid }): [string, number] => ['api', pid]),
      ...stage.workers.map(({ pid }): [string, number] => ['workers', pid]),
      ['PostgreSQL', postgres.pid],
      ['Redis', redis.pid],
      ['mail server', sink.pid],
      ['payment provider', sandbox.pid],
      ['load generator', process.pid],
    ];
    this.before = this.read();
  }

  /** Share of one core each part has had since the start, for example `api 0.62, PostgreSQL 0.41`. */
  describe(): string {
    const seconds = (performance.now() - this.startedAt) / 1_000;
    return [...this.read()]
      .map(([part, ticks]): [string, number] => [
        part,
        (ticks - (this.before.get(part) ?? 0)) / TICKS_PER_SECOND / seconds,
      ])
      .filter(([, cores]) => cores >= 0.01)
      .sort(([, a], [, b]) => b - a)
      .map(([part, cores]) => `${part} ${cores.toFixed(2)}`)
      .join(', ');
  }

  private read(): Map<string, number> {
    const ticks = new Map<string, number>();
    const processes = allProcesses();
    for (const [part, root] of this.roots) {
      // The runner is the parent of everything: its own time is that of the load generator alone.
      const members = root === process.pid ? [root] : treeOf(root, processes);
      const sum = members.reduce((total, pid) => total + (processes.get(pid)?.ticks ?? 0), 0);
      ticks.set(part, (ticks.get(part) ?? 0) + sum);
    }
    return ticks;
  }
}

interface ProcessTimes {
  parent: number;
  /** User and system time, with that of children that have ended. */
  ticks: number;
}

function allProcesses(): Map<number, ProcessTimes> {
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

function treeOf(root: number, processes: ReadonlyMap<number, ProcessTimes>): number[] {
  const members = [root];
  for (const member of members) {
    for (const [pid, { parent }] of processes) if (parent === member) members.push(pid);
  }
  return members;
}
