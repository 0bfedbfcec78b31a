import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpClient } from '../../local/http.ts';
import { sendRedisCommand } from '../../local/servers/redis.ts';
import { waitFor } from '../../local/wait-for.ts';
import { PROCESSES, type ProcessName } from '../nemesis/rig.ts';
import { startRig, type RunningRig } from '../nemesis/rig/start.ts';
import { buildSpecimen } from '../specimen/build.ts';
import * as ledger from '../specimen/outside.ts';
import { Bank, OPENING_BALANCE, type Customer } from '../verify/bank.ts';

describe('the rig of the nemesis', () => {
  let rig: RunningRig;
  let customer: Customer;
  let receiver: string;

  beforeAll(async () => {
    rig = await startRig({ settings: ledger.ledgerSettings }, { dist: await buildSpecimen(), env: {} });
    const accounts = await ledger.openAccounts(rig.truth.query, 2, OPENING_BALANCE);
    [receiver] = accounts as [string];
    [customer] = (await new Bank(accounts).register(rig.urlOf('api-1'), 1)) as [Customer];
  });
  afterAll(() => rig?.stop());

  /** @returns its id, if it was acknowledged */
  async function transfer(api: string): Promise<string | undefined> {
    const answer = await httpClient(rig.urlOf(api))
      .as(customer.token)
      .post<{ id: string }>(ledger.TRANSFERS, ledger.newTransfer(customer.accounts[0]!, receiver), {
        headers: { 'Idempotency-Key': randomUUID() },
        timeoutMs: 5_000,
      })
      .catch(() => undefined);
    return answer?.status === 201 ? answer.body.id : undefined;
  }

  it('loses nothing that was acknowledged when PostgreSQL fails over, again and again', async () => {
    const acknowledged: string[] = [];
    let over = false;
    const clients = ['api-1', 'api-2', 'api-1', 'api-2'].map(async (api) => {
      while (!over) {
        const id = await transfer(api);
        if (id) acknowledged.push(id);
      }
    });
    const ports = new Set<number>();
    for (const readOnlyMs of [0, 500, 0]) {
      await waitFor(() => rig.postgres.standby, { within: 60_000, what: 'a standby' });
      const before = acknowledged.length;
      await waitFor(() => acknowledged.length > before + 20, { within: 60_000, what: 'transfers' });
      ports.add(rig.postgres.primary.port);
      await rig.postgres.failOver({ readOnlyMs });
    }
    const before = acknowledged.length;
    await waitFor(() => acknowledged.length > before + 20, { within: 60_000, what: 'transfers' });
    over = true;
    await Promise.all(clients);
    expect(ports.size).toBe(3);
    const stored = await ledger.transfersOf(rig.truth.query, [customer.id]);
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  });

  it('lets Redis fail over to its replica, which the old primary follows', async () => {
    const { primary, replica } = rig.redis;
    await rig.redis.failOver({ readOnlyMs: 300 });
    expect(rig.redis.primary.port).toBe(replica.port);
    expect(rig.stack.redis.port).toBe(replica.port);
    const role = await sendRedisCommand(primary.port, 'INFO replication');
    expect(role).toContain('role:slave');
    expect(await rig.heal()).toEqual([]);
  });

  it('starts a process again that ends by itself, and notes it', async () => {
    const { pid } = rig.processes.get('worker-1')!;
    process.kill(pid, 'SIGKILL');
    await waitFor(() => rig.unexpectedEnds.length > 0, { what: 'the note' });
    expect(rig.unexpectedEnds[0]).toContain('worker-1');
    expect(await rig.heal()).toEqual([]);
    expect(rig.processes.get('worker-1')!.pid).not.toBe(pid);
  });

  it('heals whatever is broken, and excuses the probes of what was down', async () => {
    const one = (name: ProcessName) => rig.processes.get(name)!;
    one('api-1').freeze();
    await one('worker-2').kill();
    await one('api-2').setClock(3_600_000);
    for (const edge of rig.edges.values()) edge.blackHole('both');
    rig.postgres.primary.freeze();
    await rig.redis.primary.kill();
    expect(await rig.heal()).toEqual([]);
    // A process is ready a moment before the rig has asked whether it has started.
    await waitFor(() => PROCESSES.every((name) => !one(name).isDown), { what: 'all processes' });
    for (const api of ['api-1', 'api-2'])
      await waitFor(() => transfer(api), { within: 60_000, what: `a transfer at ${api}` });
    expect(rig.probes.some(({ excused }) => excused)).toBe(true);
    expect(rig.logLines('"level"').length).toBeGreaterThan(0);
  });
});
