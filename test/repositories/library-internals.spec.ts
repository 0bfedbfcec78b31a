import { Socket } from 'node:net';
import pg from 'pg';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

/**
 * What `platform/database` uses of TypeORM, pg and pg-pool that they do not document, each with its reason. A version that moves one of
 * these fails here by name, and not somewhere in production.
 */
let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase({ DATABASE_POOL_SIZE: '1' });
});
afterAll(() => db?.close());

describe('pg', () => {
  it('has the connection of a client in `connection`, with the messages of the server', async () => {
    const client = new pg.Client(db.server.url());
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter & { stream: Socket } };
    const parameters: string[] = [];
    const errors: unknown[] = [];
    connection.on('parameterStatus', ({ parameterName }: { parameterName: string }) =>
      parameters.push(parameterName),
    );
    connection.on('errorMessage', ({ code }: { code: string }) => errors.push(code));
    await client.connect();
    await expect(client.query('SELECT nonsense')).rejects.toThrow('nonsense');
    expect(parameters).toContain('in_hot_standby');
    expect(errors).toEqual(['42703']);
    // To send together what is sent in one turn, and to cut off a statement that is not answered.
    expect(connection.stream).toBeInstanceOf(Socket);
    expect(connection.stream.remotePort).toBe(db.server.port);
    await client.end();
  });

  it('has the data for a CancelRequest in the client, and a `Connection` that can send it', async () => {
    const client = new pg.Client(db.server.url());
    await client.connect();
    expect(client).toMatchObject({
      host: expect.any(String) as string,
      processID: expect.any(Number) as number,
      secretKey: expect.anything() as unknown,
      ssl: false,
    });
    expect(client).toHaveProperty('sslNegotiation');
    const { Connection } = pg as unknown as { Connection: { prototype: object } };
    for (const method of ['connect', 'requestSsl', 'cancel', 'on']) {
      expect(Connection.prototype).toHaveProperty(method);
    }
    await client.end();
  });

  it('answers statements in order when `pipeline` is set, which is missing in its types', async () => {
    const client = new pg.Client(db.server.url());
    await client.connect();
    (client as unknown as { pipeline: boolean }).pipeline = true;
    const answers = await Promise.all(['1', '2'].map((n) => client.query(`SELECT ${n} AS n`)));
    expect(answers.map(({ rows }) => (rows as { n: number }[])[0]?.n)).toEqual([1, 2]);
    await client.end();
  });
});

describe('pg-pool', () => {
  it('waits for the promise of `onConnect`, and hands out no connection that it rejects', async () => {
    const pool = new pg.Pool({
      connectionString: db.server.url(),
      // oxlint-disable-next-line typescript/no-misused-promises
      onConnect: () => Promise.reject(new Error('not this one')),
    });
    await expect(pool.connect()).rejects.toThrow('not this one');
    await pool.end();
  });

  it('reports a timeout only by its message', async () => {
    const pool = new pg.Pool({ connectionString: db.server.url(), max: 1 });
    const client = await pool.connect();
    // Not before: to connect may take longer.
    pool.options.connectionTimeoutMillis = 100;
    await expect(pool.connect()).rejects.toThrow(/^timeout exceeded when trying to connect$/);
    client.release();
    await pool.end();
  });
});

describe('TypeORM', () => {
  it('creates its pool by `new driver.Pool()`, and uses the one that this returns', () => {
    expect((db.dataSource.driver as unknown as { master: unknown }).master).toBe(db.pool);
  });

  it('runs statements by a class whose `connect`, `release` and depth of transactions we replace', async () => {
    const runner = db.dataSource.driver.createQueryRunner('master');
    expect(runner).toBeInstanceOf(PostgresQueryRunner);
    expect(Object.getPrototypeOf(runner)).toBe(PostgresQueryRunner.prototype);
    expect(runner).toMatchObject({ isTransactionActive: false, transactionDepth: 0 });
    await runner.release();
  });

  it('has a manager that passes itself to its query runner', async () => {
    const runner = db.dataSource.driver.createQueryRunner('master');
    expect(db.dataSource.createEntityManager(runner)).toBe(runner.manager);
    await runner.release();
  });
});
