import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';

/** A statement may wait for its lock as long as the test needs. */
const UNHURRIED = {
  DATABASE_QUERY_TIMEOUT_MS: '300000',
  DATABASE_STATEMENT_TIMEOUT_MS: '290000',
  DATABASE_LOCK_TIMEOUT_MS: '280000',
};

describe('a job of a plain queue', () => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter({ worker: false });
  });
  afterAll(() => counter?.close());

  it(
    'is taken over by another worker when its own is killed in the middle, and takes effect once',
    { timeout: 300_000 },
    async () => {
      const print = await counter.holdPrint();
      try {
        const victim = await counter.stack.worker(UNHURRIED);
        await waitFor(print.isInProgress, { within: 60_000, what: 'a job in the middle of its work' });
        const other = await counter.stack.worker(UNHURRIED);
        await victim.kill();
        expect((await counter.http.get(print.path)).body).toMatchObject({ copies: 0 });

        await print.release();
        const handled = 'messaging_events_handled_total{event="print",consumer="prints",outcome="handled"}';
        await waitFor(async () => (await other.management.get('/metrics')).text.includes(handled), {
          within: 120_000,
          what: 'the job in the other worker',
        });
        expect((await counter.http.get(print.path)).body).toMatchObject({ copies: 1 });
      } finally {
        await print.release();
      }
    },
  );
});
