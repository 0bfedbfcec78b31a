import { Agent, get as httpGet } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../../local/processes.ts';
import { freePort, isPortFree } from '../../local/servers/ports.ts';
import { waitFor } from '../../local/wait-for.ts';
import { PATIENT_DATABASE } from '../support/patience.ts';
import { NEVER_CLOSES, openCounter, type Counter } from './counter.ts';

/** Makes a process raise what nobody catches, when it is told to by SIGUSR2. */
const RAISE = (kind: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(
    kind === 'rejection'
      ? "process.on('SIGUSR2', () => void Promise.reject(new Error('nobody catches me')))"
      : "process.on('SIGUSR2', () => setImmediate(() => { throw new Error('nobody catches me'); }))",
  )}`;

describe('the life of a process', () => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter();
  });
  afterAll(() => counter?.close());

  it('stops the api at SIGTERM: not ready at once, alive and serving while it drains, then exit 0 in time', async () => {
    const api = await counter.stack.api({ SHUTDOWN_DRAIN_DELAY_MS: '6000', SHUTDOWN_TIMEOUT_MS: '30000' });
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const failures: string[] = [];
    let answered = 0;
    let stopping = false;
    // Eight keep-alive clients that stop sending once readiness has told them to, as a load balancer does.
    const clients = Array.from({ length: 8 }, async () => {
      while (!stopping) {
        await new Promise<void>((resolve) => {
          httpGet(`${api.url}/v1/accounts?limit=1`, { agent }, (response) => {
            response.resume();
            if (response.statusCode === 200) answered += 1;
            else failures.push(`status ${response.statusCode}`);
            response.on('end', resolve);
          }).on('error', (error) => {
            failures.push(error.message);
            resolve();
          });
        });
      }
    });
    await waitFor(() => answered > 50, { what: 'traffic' });
    const started = Date.now();
    api.signal('SIGTERM');
    await waitFor(async () => (await api.management.get('/health/ready')).status === 503, {
      what: 'not ready',
    });
    expect((await api.management.get('/health/live')).status).toBe(200);
    const before = answered;
    // New connections too are served while it drains.
    expect((await api.http.get('/v1/accounts?limit=1')).status).toBe(200);
    await waitFor(() => answered > before + 20, { what: 'traffic during the drain' });
    stopping = true;
    await Promise.all(clients);
    agent.destroy();
    expect(await api.exited).toMatchObject({ code: 0 });
    expect(Date.now() - started).toBeGreaterThan(5500);
    expect(Date.now() - started).toBeLessThan(30_000);
    expect(failures).toEqual([]);
  });

  it('finishes a request that is in flight when the listener closes', async () => {
    const api = await counter.stack.api({ ...PATIENT_DATABASE, SHUTDOWN_DRAIN_DELAY_MS: '0' });
    const { answer, release } = await counter.holdTransfer(api.http.as(counter.accessToken));
    api.signal('SIGTERM');
    await waitFor(() => isPortFree(api.port), { what: 'a closed listener' });
    await release();
    expect((await answer)?.status).toBe(201);
    expect(await api.exited).toMatchObject({ code: 0 });
  });

  it('stops the worker at SIGTERM with its jobs handled exactly once, here or elsewhere', async () => {
    const worker = await counter.stack.worker();
    const { written } = await counter.receipts();
    const made = await Promise.all(Array.from({ length: 20 }, () => counter.transfer()));
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 201));
    expect(await worker.stop('SIGTERM')).toMatchObject({ code: 0 });
    await waitFor(async () => (await counter.receipts()).transfers === written + 20, {
      within: 30_000,
      what: 'all receipts',
    });
    expect((await counter.receipts()).written).toBe(written + 20);
  });

  it('exits at once at a second signal', async () => {
    const api = await counter.stack.api({ SHUTDOWN_DRAIN_DELAY_MS: '60000', SHUTDOWN_TIMEOUT_MS: '90000' });
    api.signal('SIGTERM');
    await waitFor(async () => (await api.management.get('/health/ready')).status === 503);
    const second = Date.now();
    api.signal('SIGTERM');
    expect((await api.exited).code).toBe(1);
    expect(Date.now() - second).toBeLessThan(20_000);
  });

  it('exits 1 when the shutdown times out', async () => {
    const api = await counter.stack.api({ NODE_OPTIONS: NEVER_CLOSES, SHUTDOWN_TIMEOUT_MS: '1200' });
    api.signal('SIGTERM');
    expect((await api.exited).code).toBe(1);
    expect(api.logs.at(-1)?.message).toBe('shutdown timed out');
  });

  it.each(['rejection', 'exception'])(
    'logs an unhandled %s as fatal, shuts down and exits 1',
    async (kind) => {
      const api = await counter.stack.api({ NODE_OPTIONS: RAISE(kind) });
      api.signal('SIGUSR2');
      expect((await api.exited).code).toBe(1);
      const fatal = api.logs.find(({ level }) => level === 'fatal');
      expect(fatal).toMatchObject({
        err: { message: 'nobody catches me', stack: expect.any(String) as string },
      });
      expect(api.logs.at(-1)?.message).toBe('shutdown complete');
    },
  );

  it('continues its drain after an uncaught error, answers what is in flight, and exits 1', async () => {
    const api = await counter.stack.api({ ...PATIENT_DATABASE, NODE_OPTIONS: RAISE('rejection') });
    const { answer, release } = await counter.holdTransfer(api.http.as(counter.accessToken));
    api.signal('SIGTERM');
    await waitFor(async () => (await api.management.get('/health/ready')).status === 503);
    api.signal('SIGUSR2');
    await api.waitForLog(({ level }) => level === 'fatal');
    await release();
    expect((await answer)?.status).toBe(201);
    expect((await api.exited).code).toBe(1);
    expect(api.logs.at(-1)?.message).toBe('shutdown complete');
  });

  it('does not start with an outdated schema or a port in use: one clear line, exit 1', async () => {
    const bare = await openBareDatabase(counter);
    const unmigrated = await startApi({ env: { ...counter.stack.env, DATABASE_URL: bare }, until: 'none' });
    expect((await unmigrated.exited).code).toBe(1);
    expect(unmigrated.logs.at(-1)?.message).toContain('cli.js migrate');

    const taken = await startApi({
      env: { ...counter.stack.env, PORT: String(counter.api.port) },
      until: 'none',
    });
    expect((await taken.exited).code).toBe(1);
    expect(taken.logs.at(-1)?.message).toContain(`port ${counter.api.port} is in use`);
  });

  // As on a machine that is so busy, with four processes that start at once, that a statement takes longer than it may.
  it.each(['migrations', 'sessions'])(
    'starts although the first statements that read %s failed',
    async (table) => {
      const release = await counter.lockTable(table);
      const env = { ...counter.stack.env, ...PATIENT_DATABASE, DATABASE_LOCK_TIMEOUT_MS: '200' };
      const api = await startApi({ env, until: 'live' });
      try {
        const attempts = () => api.logs.filter(({ message }) => message?.includes('trying again'));
        await waitFor(() => attempts().length > 1 || !api.isRunning, {
          within: 60_000,
          what: 'two attempts',
        });
        expect(api.isRunning, api.logs.at(-1)?.message).toBe(true);
        await release();
        await api.waitForLog(({ message }) => message === 'api is ready', 60_000);
      } finally {
        await release();
        await api.kill();
      }
    },
  );

  it('lists every problem of the configuration at once and connects to nothing', async () => {
    const wrong = {
      NODE_ENV: 'production',
      PORT: 'many',
      DATABASE_URL: 'mysql://x',
      RATE_LIMIT_ENABLED: 'false',
      FAULTS_ENABLED: 'true',
    };
    const { code, stderr } = await counter.stack.cli(['config:check'], {
      ...wrong,
      AUTH_TOKEN_SECRET: undefined,
    });
    expect(code).toBe(1);
    for (const name of [
      'PORT',
      'DATABASE_URL',
      'RATE_LIMIT_ENABLED',
      'FAULTS_ENABLED',
      'AUTH_TOKEN_SECRET',
    ]) {
      expect(stderr).toContain(`- ${name}:`);
    }
  });

  it('answers probes from the start: alive, but neither started nor ready while PostgreSQL is down', async () => {
    const port = await freePort();
    const env = { ...counter.stack.env, DATABASE_URL: `postgresql://holdfast:x@127.0.0.1:${port}/holdfast` };
    const api = await startApi({ env, until: 'live' });
    try {
      expect((await api.management.get('/health/startup')).status).toBe(503);
      expect((await api.management.get('/health/ready')).status).toBe(503);
      expect((await api.management.get('/metrics')).status).toBe(200);
    } finally {
      await api.kill();
    }
  });

  it('answers 404 for probes and metrics on the public port', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics', '/faults']) {
      expect((await counter.api.http.get(path)).status).toBe(404);
    }
  });
});

async function openBareDatabase(counter: Counter): Promise<string> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: counter.stack.postgres.adminUrl() });
  await client.connect();
  await client.query('CREATE DATABASE bare OWNER "holdfast"');
  await client.end();
  return counter.stack.postgres.url('bare');
}
