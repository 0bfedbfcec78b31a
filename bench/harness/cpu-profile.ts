import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Window } from './bench.ts';

/** A profile as V8 writes it; times in microseconds of the kernel's monotonic clock. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  startTime: number;
  samples: number[];
  timeDeltas: number[];
}

export interface Cost {
  /** A package, a file of ours, or what V8 puts in parentheses. */
  what: string;
  /** Share of the busy time of the process. */
  share: number;
}

export interface Costs {
  /** Share of the examined time. */
  busyShare: number;
  byOrigin: Cost[];
  byFunction: Cost[];
}

/** Time in which the event loop waits for something to do. */
const IDLE = '(idle)';

/** Where a process has spent its self time within `windows`, the most expensive first. */
export function costsOf(profile: CpuProfile, windows: readonly Window[]): Costs {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const origins = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  let at = profile.startTime;
  for (const [index, delta] of profile.timeDeltas.entries()) {
    at += delta;
    const frame = frames.get(profile.samples[index] ?? 0);
    if (!frame || delta < 0 || !windows.some(({ from, to }) => at >= from && at <= to)) continue;
    total += delta;
    const origin = originOf(frame.url, frame.functionName);
    const where = frame.url === '' ? '' : ` ${fileOf(frame.url)}:${frame.lineNumber + 1}`;
    add(origins, origin, delta);
    add(functions, `${frame.functionName || '(anonymous)'}${where}`, delta);
  }
  const busy = total - (origins.get(IDLE) ?? 0);
  return {
    busyShare: total === 0 ? 0 : busy / total,
    byOrigin: ranked(origins, busy),
    byFunction: ranked(functions, busy),
  };
}

/** The profiles that the processes of a run have left, by the name of the process. */
export function readProfiles(folder: string): { name: string; file: string; profile: CpuProfile }[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.cpuprofile'))
    .sort()
    .map((file) => ({
      name: file.split('/')[0] ?? file,
      file: join(folder, file),
      profile: JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile,
    }));
}

/** `pg/lib/result.js`, `src/platform/http/adapter`. */
function fileOf(url: string): string {
  const path = url.replace(/^file:\/\//, '');
  if (path.includes('/node_modules/')) return path.split('/node_modules/').at(-1) ?? path;
  return originOf(url, '');
}

/** `pg`, `node:net`, `src/platform/http/adapter`: places that can be changed. */
export function originOf(url: string, functionName: string): string {
  if (url === '') return functionName || '(anonymous)';
  const path = url.replace(/^file:\/\//, '');
  const installed = path.split('/node_modules/').at(-1);
  if (installed !== undefined && path.includes('/node_modules/')) {
    return /^(@[^/]+\/)?[^/]+/.exec(installed)?.[0] ?? installed;
  }
  return path
    .replace(/^.*\/dist\//, 'src/')
    .replace(/^.*\/bench\//, 'bench/')
    .replace(/\.[jt]s$/, '');
}

function add(totals: Map<string, number>, key: string, amount: number): void {
  totals.set(key, (totals.get(key) ?? 0) + amount);
}

function ranked(totals: Map<string, number>, busy: number): Cost[] {
  return [...totals]
    .filter(([what]) => what !== IDLE)
    .map(([what, time]) => ({ what, share: time / busy }))
    .sort((a, b) => b.share - a.share);
}
