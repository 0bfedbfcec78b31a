import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guardProcess, releaseProcess } from '../../local/servers/guard.ts';
import { knownTool } from '../../local/servers/index.ts';
import { toWire } from './requests.ts';
import type { RequestTemplate } from '../../local/requests.ts';

export interface LoadOptions {
  url: string;
  /** Sent in this order, again and again. */
  requests: readonly RequestTemplate[];
  seconds: number;
  /** Connections, each with one request in flight. Default 32. */
  connections?: number;
  /** Milliseconds, on average, that a connection waits between an answer and its next request. Default: none. */
  paceMs?: number;
  /** A folder for the file of requests. */
  directory: string;
}

/** The result of one run of the load generator. */
export interface LoadResult {
  requests: number;
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  max: number;
}

interface Printed {
  requests: number;
  durationUs: number;
  p50Us: number;
  p99Us: number;
  maxUs: number;
  refused: number;
  failed: number;
}

/**
 * No measured request should be refused, and refused ones do not count. A few refusals on a machine that stalls for a second do
 * not affect the other requests; more than a few make it another workload.
 */
const MOST_REFUSED = 0.01;

/** One run of wrk: one thread, so that it never takes more than one of the cores. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const seed = randomBytes(6).toString('hex');
  const file = join(options.directory, `requests-${seed}`);
  await writeFile(
    file,
    options.requests.map((request) => `${toWire(request, options.url)}\0`).join(''),
    'latin1',
  );
  try {
    const printed = parse(await runWrk(options, file, seed));
    const answered = printed.requests - printed.refused;
    if (answered <= 0 || printed.failed > 0 || printed.refused > printed.requests * MOST_REFUSED) {
      throw new Error(
        `${options.url} answered ${printed.requests} requests, rejected ${printed.refused} of them, and broke off ${printed.failed} more`,
      );
    }
    return {
      requests: answered,
      perSecond: answered / (printed.durationUs / 1e6),
      p50: printed.p50Us / 1000,
      p99: printed.p99Us / 1000,
      max: printed.maxUs / 1000,
    };
  } finally {
    await rm(file, { force: true });
  }
}

function parse(output: string): Printed {
  const line = /^RESULT (\{.*\})$/m.exec(output)?.[1];
  if (!line) throw new Error(`wrk exited without a result: ${output.trim()}`);
  return JSON.parse(line) as Printed;
}

async function runWrk(options: LoadOptions, file: string, seed: string): Promise<string> {
  const tool = await knownTool('wrk');
  const args = [
    ...['--threads', '1', '--connections', String(options.connections ?? 32)],
    ...['--duration', `${options.seconds}s`, '--timeout', '10s'],
    ...['--script', join(import.meta.dirname, 'wrk.lua'), options.url],
    ...['--', file, String(options.paceMs ?? 0), seed],
  ];
  const child = spawn(tool.command, args, { env: tool.env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid) guardProcess({ pid: child.pid, signal: 'SIGKILL', withinMs: 1000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  if (child.pid) releaseProcess(child.pid);
  return output;
}
