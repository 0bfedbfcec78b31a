import pg from 'pg';
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
      const account = `/v1/accounts/${counter.accounts[0]}`;
      const ordered = await counter.http.post<{ id: string }>(`${account}/prints`);
      expect(ordered.status).toBe(202);
      const print = `${account}/prints/${ordered.body.id}`;

      const holder = new pg.Client(counter.stack.postgres.adminUrl('holdfast'));
      await holder.connect();
      try {
        await holder.query('BEGIN');
        await holder.query('SELECT 1 FROM prints WHERE id = $1 FOR UPDATE', [ordered.body.id]);
        const victim = await counter.stack.worker(UNHURRIED);
        const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE "prints"%'`;
        await waitFor(async () => (await counter.query(waiting)).length === 1, {
          within: 60_000,
          what: 'a job in the middle of its work',
        });
        const other = await counter.stack.worker(UNHURRIED);
        await victim.kill();
        expect((await counter.http.get(print)).body).toMatchObject({ copies: 0 });

        await holder.query('ROLLBACK');
        const handled = 'messaging_events_handled_total{event="print",consumer="prints",outcome="handled"}';
        await waitFor(async () => (await other.management.get('/metrics')).text.includes(handled), {
          within: 120_000,
          what: 'the job in the other worker',
        });
        expect((await counter.http.get(print)).body).toMatchObject({ copies: 1 });
      } finally {
        await holder.end();
      }
    },
  );
});
