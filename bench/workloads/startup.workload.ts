import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { guardProcess, releaseProcess } from '../../local/servers/guard.ts';
import { freePort, localPath, repositoryRoot } from '../../local/servers/index.ts';
import { alternate } from '../harness/alternate.ts';
import { pairwise } from '../harness/statistics.ts';
import type { Testbed } from '../testbed/testbed.ts';
import type { Workload } from '../workload.ts';

const POLL_MS = 5;
const GIVE_UP_MS = 60_000;

export const startup: Workload = {
  name: 'startup',
  title: 'Start of the built api to ready, database warm',
  run: async (bench) => {
    const testbed = await bench.open();
    const ours = () => untilReady(testbed, join(testbed.dist, 'main.js'), 'MANAGEMENT_PORT', '/health/ready');
    const theirs = () =>
      untilReady(testbed, join(repositoryRoot, 'bench/bare/one-route.mjs'), 'PORT', '/ready');
    const [product = [], oneRoute = []] = await alternate(
      bench,
      [
        { name: 'holdfast', warmUp: ours, measure: ours },
        { name: 'one route', warmUp: theirs, measure: theirs },
      ],
      // A start takes about a second.
      2 * bench.rounds,
    );
    return {
      measures: [
        { side: 'holdfast', unit: 'ms', rounds: product },
        { side: 'one-route Nest', unit: 'ms', rounds: oneRoute },
      ],
      checks: [
        pairwise('start time of a Nest application with one route', product, oneRoute, { atMost: 1.5 }),
      ],
      notes: ['From the start of the process to the first 200 of its readiness, polled every 5 ms.'],
    };
  },
};

/** Milliseconds from spawning a process to its first 200. */
async function untilReady(
  testbed: Testbed,
  file: string,
  portVariable: string,
  path: string,
): Promise<number> {
  const ports = { PORT: String(await freePort()), MANAGEMENT_PORT: String(await freePort()) };
  const port = Number(ports[portVariable as keyof typeof ports]);
  const { PATH, HOME } = process.env;
  const log = openSync(join(testbed.directory, 'startup.log'), 'a');
  const started = performance.now();
  const child = spawn(process.execPath, [file], {
    env: { PATH, HOME, HOST: '127.0.0.1', MANAGEMENT_HOST: '127.0.0.1', ...testbed.stack.env, ...ports },
    cwd: localPath('run'),
    stdio: ['ignore', log, log],
  });
  const pid = child.pid as number;
  guardProcess({ pid, signal: 'SIGKILL', withinMs: 1000 });
  const ended = once(child, 'exit');
  try {
    while (!(await answers(port, path))) {
      if (child.exitCode !== null)
        throw new Error(`${file} ended with ${child.exitCode} before it was ready`);
      if (performance.now() - started > GIVE_UP_MS) throw new Error(`${file} was not ready in time`);
      await delay(POLL_MS);
    }
    return performance.now() - started;
  } finally {
    child.kill('SIGKILL');
    await ended;
    releaseProcess(pid);
  }
}

function answers(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', () => resolve(false));
  });
}
