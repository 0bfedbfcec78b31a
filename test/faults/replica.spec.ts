import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiProcess } from '../../local/processes.ts';
import { startReplica, type PostgresReplica } from '../../local/servers/postgres-replica.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';

describe('a read replica', () => {
  let counter: Counter;
  let replica: PostgresReplica;
  let api: ApiProcess;

  beforeAll(async () => {
    counter = await openCounter({ worker: false });
    replica = await startReplica(counter.stack.postgres);
    await counter.query(`INSERT INTO accounts (id, owner_id, name, balance, currency)
      SELECT uuidv7(), owner_id, 'Newest', balance, currency FROM accounts LIMIT 1`);
    api = await counter.stack.api({
      DATABASE_REPLICA_URLS: replica.url(),
      DATABASE_REPLICA_MAX_LAG_MS: '60000',
    });
  });
  afterAll(async () => {
    await counter?.close();
    await replica?.stop();
  });

  it('serves reads that tolerate lag, and the primary serves them when it is down', async () => {
    let limit = 10;
    /** No two pages have the same limit: none is a copy. */
    const newest = async () => {
      limit += 1;
      const answer = await api.http.get<{ data: { name: string }[] }>(`/v1/accounts?limit=${limit}`);
      expect(answer.status).toBe(200);
      return answer.body.data[0]?.name;
    };
    await waitFor(async () => (await newest()) === 'Newest', { what: 'the newest account' });
    // What the replica has not replayed shows where a list was read.
    await replica.pauseReplay();
    await counter.query("UPDATE accounts SET name = 'Renamed' WHERE name = 'Newest'");
    // Seldom: no page has more than a hundred.
    await waitFor(async () => (await newest()) === 'Newest', {
      within: 40_000,
      every: 500,
      what: 'a read from the replica',
    });

    await replica.kill();
    expect(await newest()).toBe('Renamed');
    expect((await api.management.get('/health/ready')).status).toBe(200);
    expect((await counter.transfer()).status).toBe(201);
  });
});
