import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../wait-for.ts';
import { demote, startReplica, type PostgresReplica } from './postgres-replica.ts';
import { startPostgres, type PostgresServer } from './postgres.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

describe('a replica behind a proxy whose target changes', () => {
  let primary: PostgresServer;
  let replica: PostgresReplica;
  let proxy: TcpProxy;
  const clients: pg.Client[] = [];

  beforeAll(async () => {
    primary = await startPostgres();
    replica = await startReplica(primary);
    proxy = await startTcpProxy(primary.port);
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    await proxy?.stop();
    await replica?.stop();
    await primary?.stop();
  });

  async function connectTo(url: string): Promise<pg.Client> {
    const client = new pg.Client(url);
    client.on('error', () => undefined);
    clients.push(client);
    await client.connect();
    return client;
  }
  const throughProxy = () => connectTo(primary.url().replace(`:${primary.port}/`, `:${proxy.port}/`));
  const isReplica = async (client: pg.Client) =>
    (await client.query<{ replica: boolean }>('SELECT pg_is_in_recovery() AS replica')).rows[0]?.replica;

  it('streams, is promoted, and is followed by the old primary, which keeps its open connections', async () => {
    const before = await throughProxy();
    expect(await isReplica(before)).toBe(false);
    await before.query('CREATE TABLE streamed AS SELECT 1 AS one');
    const onReplica = await connectTo(replica.url());
    await waitFor(async () => (await onReplica.query('SELECT one FROM streamed')).rowCount === 1, {
      what: 'the row on the replica',
    });

    await demote(primary, replica);
    const onOld = await throughProxy();
    expect(await isReplica(onOld)).toBe(true);
    await replica.promote();
    proxy.pointTo(replica.port);
    const onNew = await throughProxy();
    expect([await isReplica(onOld), await isReplica(onNew)]).toEqual([true, false]);
    await onNew.query('INSERT INTO streamed VALUES (2)');
    await waitFor(async () => (await onOld.query('SELECT one FROM streamed')).rowCount === 2, {
      within: 40_000,
      what: 'the row on the old primary',
    });

    proxy.cut();
    await waitFor(() => proxy.connections === 0, { what: 'the end of the connections' });
    expect(await isReplica(await throughProxy())).toBe(false);
  });
});
