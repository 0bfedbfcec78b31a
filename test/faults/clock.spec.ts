import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppProcess } from '../../local/processes.ts';
import { isPortFree } from '../../local/servers/ports.ts';
import { waitFor } from '../../local/wait-for.ts';
import { PATIENT_DATABASE } from '../support/patience.ts';
import { openCounter, type Counter } from './counter.ts';

/** At SIGUSR2 the clock of the process is set an hour forward, and it says so. */
const HOUR_FORWARD = `--import=data:text/javascript,${encodeURIComponent(`
  const right = Date.now;
  process.on('SIGUSR2', () => {
    Date.now = () => right() + 3_600_000;
    console.log('{"level":"info","message":"the clock is set"}');
  });`)}`;

/** The clock is all that may take time from them: they wait for a lock while processes are observed and told. */
const UNHURRIED = {
  ...PATIENT_DATABASE,
  DATABASE_LOCK_TIMEOUT_MS: '50000',
  DATABASE_STATEMENT_TIMEOUT_MS: '51000',
  DATABASE_QUERY_TIMEOUT_MS: '52000',
  HTTP_REQUEST_TIMEOUT_MS: '55000',
  SHUTDOWN_TIMEOUT_MS: '120000',
  NODE_OPTIONS: HOUR_FORWARD,
};

async function setClock(app: AppProcess): Promise<void> {
  app.signal('SIGUSR2');
  await app.waitForLog(({ message }) => message === 'the clock is set');
}

// As when a machine wakes up, or its time service steps.
describe('a clock that is set an hour forward', () => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter({ worker: false });
  });
  afterAll(() => counter?.close());

  it('takes no time from a request that is in flight', async () => {
    const api = await counter.stack.api(UNHURRIED);
    const { answer, release } = await counter.holdTransfer(api.http.as(counter.accessToken));
    await setClock(api);
    await release();
    expect((await answer)?.status).toBe(201);
    await api.kill();
  });

  it('takes no time from the requests that a shutdown lets finish', async () => {
    const api = await counter.stack.api({ ...UNHURRIED, SHUTDOWN_DRAIN_DELAY_MS: '3000' });
    const { answer, release } = await counter.holdTransfer(api.http.as(counter.accessToken));
    api.signal('SIGTERM');
    await api.waitForLog(({ message }) => message === 'shutdown begins');
    await setClock(api);
    await waitFor(() => isPortFree(api.port), { what: 'a closed listener' });
    await release();
    expect((await answer)?.status).toBe(201);
    expect(await api.exited).toMatchObject({ code: 0 });
  });

  it('takes no time from the jobs that a shutdown lets finish', async () => {
    const print = await counter.holdPrint();
    const worker = await counter.stack.worker(UNHURRIED);
    await waitFor(print.isInProgress, { within: 60_000, what: 'a job in the middle of its work' });
    worker.signal('SIGTERM');
    await worker.waitForLog(({ message }) => message === 'shutdown begins');
    await setClock(worker);
    await print.release();
    expect(await worker.exited).toMatchObject({ code: 0 });
    expect((await counter.http.get(print.path)).body).toMatchObject({ copies: 1 });
  });
});
