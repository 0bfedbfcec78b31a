import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../../local/servers/index.ts';

/** The conditions of the measurement: figures mean nothing without them. */
export function conditions(): string[] {
  return [
    `Machine: ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, load ${loadavg()[0]?.toFixed(1)} at the start, Node ${process.version}.`,
    'Holdfast: the built api and worker, NODE_ENV=production, with default settings except addresses and secrets; workloads that change others say so.',
    'Enabled: authentication, validation, access log (info, into a file), metrics, security headers, rate limit over all instances, tracing at its default sampling (into a',
    '  collector that accepts it at once), load shedding, deadlines, circuit breakers, problem documents, serialisation by schema.',
    'Bare (bench/bare): Fastify, pg with named prepared statements, the same check of the same tokens, and the same statements, which PostgreSQL confirms. Nothing else.',
    'Both: one process, 10 database connections, the same private PostgreSQL 18 (fsync off, for both) and Redis on this machine.',
    'Load: wrk, 1 thread, 32 connections, both sides in turn with the same requests. Ratios are taken within each turn; the result is the median of the turns, with its quartiles.',
  ];
}

/** A load that will disturb the measurement, if there is one. */
export function disturbance(): string | undefined {
  const [load = 0] = loadavg();
  if (load < 0.7 * availableParallelism()) return undefined;
  return `The load of this machine is ${load.toFixed(1)} before the start; the results are not reliable.`;
}

/** The version of the product that is measured. */
export function productVersion(): string {
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
