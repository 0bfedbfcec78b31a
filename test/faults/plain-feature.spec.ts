import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient, HttpOptions } from '../../local/http.ts';
import { demote, startReplica, type PostgresReplica } from '../../local/servers/postgres-replica.ts';
import { startTcpProxy, type TcpProxy } from '../../local/servers/tcp-proxy.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, type Counter } from './counter.ts';
import { expectUnavailable } from './expectations.ts';

interface Payee {
  id: string;
  name: string;
  place: number;
  checks: number;
}

/** Limits that a slow machine does not reach: what waits for a lock is to wait until something else ends it. */
const PATIENT = {
  DATABASE_QUERY_TIMEOUT_MS: '60000',
  DATABASE_STATEMENT_TIMEOUT_MS: '59000',
  DATABASE_LOCK_TIMEOUT_MS: '58000',
  HTTP_REQUEST_TIMEOUT_MS: '60000',
};
/** What says that a wait is bounded at all; how tight the bound is, is measured in postgresql.spec.ts. */
const BOUNDED_MS = 20_000;

// The feature is test/specimen/payees: TypeORM and BullMQ as their documentation and Nest's have them.
describe('a feature of TypeORM and BullMQ alone', () => {
  let counter: Counter;
  let address: TcpProxy;
  let standby: PostgresReplica | undefined;
  /** Holds locks that requests wait for. */
  let blocker: pg.Client;

  beforeAll(async () => {
    // What was on its way to Redis when PostgreSQL broke is sent again after this.
    counter = await openCounter({ env: { OUTBOX_REDELIVERY_AFTER_MS: '2000' } });
    address = await startTcpProxy(counter.stack.postgres.port);
  });
  afterAll(async () => {
    await counter?.close();
    await standby?.stop();
    await address?.stop();
  });

  const payees = (http: HttpClient) => ({
    list: () => http.get<Payee[]>('/v1/payees'),
    add: (name: string = randomUUID()) => http.post<Payee>('/v1/payees', { name }),
    sort: (ids: string[], options?: HttpOptions) => http.put('/v1/payees/order', { ids }, options),
  });
  const added = async (count: number): Promise<Payee[]> => {
    const answers = [];
    for (let i = 0; i < count; i += 1) answers.push(await payees(counter.http).add());
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    return answers.map(({ body }) => body);
  };
  const find = async (id: string): Promise<Payee> =>
    (await counter.query<Payee>('SELECT id, name, place, checks FROM payees WHERE id = $1', [id]))[0]!;
  const jobsNamed = (name: string) =>
    counter.query("SELECT FROM outbox_events WHERE payload->>'name' = $1", [name]);

  it('rolls a request back as a whole, and its job with it', async () => {
    const [first, second] = await added(2);
    const refused = await payees(counter.http).sort([second!.id, first!.id, randomUUID()]);
    expect(refused.status).toBe(404);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect((await find(first!.id)).place).toBe(0);

    const again = await payees(counter.http).add(first!.name);
    expect(again).toMatchObject({ status: 409, body: { code: 'already-exists' } });
    expect(await jobsNamed(first!.name)).toHaveLength(1);
  });

  it('has its job done by the worker once it is committed', async () => {
    const [payee] = await added(1);
    await waitFor(async () => (await find(payee!.id)).checks === 1, { what: 'the job' });
  });

  describe.each(['frozen', 'killed'] as const)('while PostgreSQL is %s', (how) => {
    afterEach(async () => {
      await waitFor(async () => (await counter.ready()).body.status === 'ok', { what: 'readiness' });
    });

    it('is refused with 503 in time, loses no job, and works again afterwards', async () => {
      const { postgres } = counter.stack;
      const { list, add, sort } = payees(counter.http);
      const [payee] = await added(1);
      if (how === 'frozen') postgres.freeze();
      else await postgres.kill();
      try {
        await waitFor(
          async () => {
            const answers = await Promise.all([list(), add(), sort([payee!.id])]);
            for (const answer of answers) expectUnavailable(answer, BOUNDED_MS);
            const { text } = await counter.api.management.get('/metrics');
            return /dependency_circuit_state\{dependency="postgresql"\} [12]/.test(text);
          },
          { within: 60_000, what: 'an open circuit' },
        );
      } finally {
        if (how === 'frozen') postgres.thaw();
        else await postgres.restart();
      }
      await waitFor(
        async () =>
          (await Promise.all([list(), add(), sort([payee!.id])])).every(({ status }) => status < 300),
        { what: 'answers' },
      );
      await waitFor(async () => (await find(payee!.id)).checks > 0, { within: 60_000, what: 'the job' });
    });
  });

  describe('that waits for a lock', () => {
    let patient: ReturnType<typeof payees>;
    let hurried: ReturnType<typeof payees>;

    beforeAll(async () => {
      const { stack, accessToken } = counter;
      const apis = await Promise.all([
        stack.api(PATIENT),
        stack.api({ ...PATIENT, HTTP_REQUEST_TIMEOUT_MS: '1000' }),
      ]);
      [patient, hurried] = apis.map(({ http }) => payees(http.as(accessToken))) as [
        typeof patient,
        typeof hurried,
      ];
      blocker = new pg.Client(stack.postgres.adminUrl('holdfast'));
      await blocker.connect();
    });
    afterAll(() => blocker?.end());
    afterEach(() => blocker.query('ROLLBACK'));

    const lock = async ({ id }: Payee) => {
      await blocker.query('BEGIN');
      await blocker.query('SELECT FROM payees WHERE id = $1 FOR UPDATE', [id]);
    };
    const waiting = async () =>
      (
        await counter.query(
          "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%payees%'",
        )
      ).length;

    it('is cancelled when its client leaves, with all that it did', async () => {
      const [first, second] = await added(2);
      await lock(first!);
      const client = new AbortController();
      const left = patient.sort([first!.id, second!.id].toReversed(), { signal: client.signal });
      left.catch(() => undefined);
      await waitFor(async () => (await waiting()) === 1, { what: 'a statement that waits' });
      client.abort();
      await expect(left).rejects.toThrow();
      await waitFor(async () => (await waiting()) === 0, { what: 'the end of the statement' });
      await blocker.query('ROLLBACK');
      // The row that the request had changed is free, too.
      expect((await patient.sort([first!.id, second!.id])).status).toBe(204);
      expect((await find(second!.id)).place).toBe(1);
    });

    it('ends at the deadline of its request', async () => {
      const [payee] = await added(1);
      await lock(payee!);
      const late = await hurried.sort([payee!.id]);
      expectUnavailable(late, BOUNDED_MS);
      expect(late.body).toMatchObject({ code: 'deadline-exceeded' });
      await waitFor(async () => (await waiting()) === 0, { what: 'the end of the statement' });
    });

    it('is refused with 503 where PostgreSQL chooses it to end a deadlock, and the other one is done', async () => {
      const [first, second, third] = await added(3);
      await lock(third!);
      const both = [
        patient.sort([first!.id, third!.id, second!.id]),
        patient.sort([second!.id, third!.id, first!.id]),
      ];
      await waitFor(async () => (await waiting()) === 2, { what: 'two statements that wait' });
      await blocker.query('ROLLBACK');
      const [done, refused] = (await Promise.all(both)).toSorted((a, b) => a.status - b.status);
      expect(done!.status).toBe(204);
      expectUnavailable(refused!, 50_000);
      expect(refused!.body).toMatchObject({ code: 'database-unavailable' });
      await waitFor(
        async () => {
          const [row] = await counter.query<{ deadlocks: number }>(
            'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
          );
          return row!.deadlocks > 0;
        },
        { what: 'a deadlock that was counted' },
      );
    });
  });

  it('reads from a replica what tolerates lag, and from the primary when the replica is down', async () => {
    const { stack, accessToken } = counter;
    const replica = await startReplica(stack.postgres);
    try {
      const { http } = await stack.api({
        DATABASE_REPLICA_URLS: replica.url(),
        DATABASE_REPLICA_MAX_LAG_MS: '60000',
      });
      const [payee] = await added(1);
      const named = (name: string) => async () => {
        const { status, body } = await payees(http.as(accessToken)).list();
        expect(status).toBe(200);
        return body.some((listed) => listed.id === payee!.id && listed.name === name);
      };
      await waitFor(named(payee!.name), { what: 'the payee' });
      // What the replica has not replayed shows where a list was read.
      await replica.pauseReplay();
      await counter.query("UPDATE payees SET name = 'renamed' WHERE id = $1", [payee!.id]);
      await waitFor(named(payee!.name), { what: 'a read from the replica' });
      await replica.kill();
      await waitFor(named('renamed'), { what: 'a read from the primary' });
    } finally {
      await replica.stop();
    }
  });

  // The last one: the first primary stays a standby.
  it('is refused while the address leads to a standby, and works again when it leads to the new primary', async () => {
    const { stack, accessToken } = counter;
    const { http } = await stack.api({
      DATABASE_URL: stack.postgres.url().replace(`:${stack.postgres.port}/`, `:${address.port}/`),
    });
    const { list, add } = payees(http.as(accessToken));
    expect((await add()).status).toBe(201);
    standby = await startReplica(stack.postgres);
    await demote(stack.postgres, standby);
    const refused = () => Promise.all([add(), list()]);
    for (const answer of await refused()) expectUnavailable(answer, BOUNDED_MS);
    await standby.promote();
    address.pointTo(standby.port);
    await waitFor(async () => (await Promise.all([add(), list()])).every(({ status }) => status < 300), {
      what: 'answers',
    });
  });
});
