import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApiProcess } from '../../local/processes.ts';
import { privateDirectory, type PrivateDirectory } from '../../local/servers/private-directory.ts';
import { startTcpProxy, type TcpProxy } from '../../local/servers/tcp-proxy.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';
import { expectUnavailable } from './expectations.ts';

/** A look a second, some of them to be sure, and a busy machine. */
const NOTICED_WITHIN_MS = 40_000;

/** Stops the event loop at SIGUSR2, and says so, until a file is there. */
const stall = (until: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`
    import { existsSync, writeSync } from 'node:fs';
    process.on('SIGUSR2', () => { writeSync(1, 'stuck\\n'); while (!existsSync(${JSON.stringify(until)})); });
  `)}`;

describe('readiness of two instances', () => {
  let counter: Counter;
  let proxy: TcpProxy;
  let wellConnected: ApiProcess;
  let behindProxy: ApiProcess;
  let folder: PrivateDirectory;
  let endOfStall: string;

  beforeAll(async () => {
    counter = await openCounter({ worker: false });
    wellConnected = counter.api;
    const { DATABASE_URL } = counter.stack.env;
    proxy = await startTcpProxy(Number(new URL(DATABASE_URL!).port));
    const proxied = new URL(DATABASE_URL!);
    proxied.host = `127.0.0.1:${proxy.port}`;
    folder = await privateDirectory('readiness');
    endOfStall = join(folder.path, 'end-of-stall');
    behindProxy = await counter.stack.api({ DATABASE_URL: proxied.href, NODE_OPTIONS: stall(endOfStall) });
  });
  afterAll(async () => {
    await counter?.close();
    await proxy?.stop();
    await folder?.remove();
  });
  afterEach(async () => {
    proxy.thaw();
    for (const api of [wellConnected, behindProxy]) await readinessOf(api, 200, 'ok');
  });

  const readinessOf = (api: ApiProcess, status: number, word: string): Promise<unknown> =>
    waitFor(
      async () => {
        const answer = await api.management.get<{ status: string }>('/health/ready');
        return answer.status === status && answer.body.status === word;
      },
      { within: NOTICED_WITHIN_MS, every: 100, what: `readiness ${status} ${word}` },
    );

  it('stays 200 on both while PostgreSQL is down for both, which body and metrics report', async () => {
    const [known = ''] = counter.accounts;
    await behindProxy.http.get(`/v1/accounts/${known}`);
    await wellConnected.http.get(`/v1/accounts/${known}`);
    await counter.stack.postgres.kill();
    const seen = new Set<number>();
    try {
      const until = Date.now() + 10_000;
      while (Date.now() < until) {
        for (const api of [wellConnected, behindProxy]) {
          seen.add((await api.management.get('/health/ready')).status);
          expect((await api.http.get(`/v1/accounts/${known}`)).status).toBe(200);
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect([...seen]).toEqual([200]);
      for (const api of [wellConnected, behindProxy]) {
        await readinessOf(api, 200, 'degraded');
        expect((await api.management.get('/health/ready')).body).toMatchObject({
          status: 'degraded',
          details: { postgresql: { status: 'degraded' }, redis: { status: 'up' } },
        });
        const metrics = (await api.management.get('/metrics')).text;
        expect(metrics).toContain('dependency_up{dependency="postgresql"} 0');
        expect(metrics).toContain('dependency_up{dependency="redis"} 1');
      }
      expectUnavailable(await counter.transfer());
    } finally {
      await counter.stack.postgres.restart();
    }
  });

  it('turns 503 on an instance that alone is cut off, and 200 when it reaches PostgreSQL again', async () => {
    proxy.freeze();
    await readinessOf(behindProxy, 503, 'error');
    expect((await behindProxy.management.get('/metrics')).text).toContain(
      'dependency_cut_off_alone{dependency="postgresql"} 1',
    );
    expect((await behindProxy.management.get('/health/live')).status).toBe(200);
    await readinessOf(wellConnected, 200, 'ok');
    proxy.thaw();
    await readinessOf(behindProxy, 200, 'ok');
  });

  it('is 200 on the cut-off instance once no other one reaches PostgreSQL either', async () => {
    proxy.freeze();
    await readinessOf(behindProxy, 503, 'error');
    await counter.stack.postgres.kill();
    try {
      await readinessOf(behindProxy, 200, 'degraded');
      await readinessOf(wellConnected, 200, 'degraded');
    } finally {
      await counter.stack.postgres.restart();
    }
  });

  it('is 200 on the cut-off instance while Redis is down too, because the state of others is unknown', async () => {
    proxy.freeze();
    await readinessOf(behindProxy, 503, 'error');
    await counter.stack.redis.kill();
    try {
      await readinessOf(behindProxy, 200, 'degraded');
    } finally {
      await counter.stack.redis.restart();
    }
  });

  it('is not answered while the event loop is stuck, and is 200 afterwards', async () => {
    behindProxy.signal('SIGUSR2');
    await behindProxy.waitForLog(({ message }) => message === 'stuck');
    await expect(behindProxy.management.get('/health/ready', { timeoutMs: 1000 })).rejects.toThrow();
    await writeFile(endOfStall, '');
    await readinessOf(behindProxy, 200, 'ok');
  });
});
