import type { Role as CastRole } from '../../clients/cast.ts';
import type { SeenVersion } from '../../checker/cached-reads.ts';
import { ACCOUNTS, TRANSFERS } from '../../../specimen/outside.ts';
import { jsonOf, type Client } from '../../clients/client.ts';
import { pursue, repeatOld } from '../../clients/keyed-writes.ts';
import type { Answer } from '../../clients/send.ts';
import { forged, newTransfer, newWithdrawal } from './writes.ts';
import type { Account, World } from './world.ts';

/** What one client does until the load is over. */
type Role = CastRole<World>;

const SHORT = [20, 120] as const;
const LONG = [100, 400] as const;

const transfers: Role = (client, world) =>
  client.loop(SHORT, () =>
    client.random.chance(0.07)
      ? repeat(client, world, 'transfer')
      : pursue(client, newTransfer(client, world)),
  );

function repeat(client: Client, world: World, kind: 'transfer' | 'withdraw'): Promise<void> {
  const earlier = world.writes.filter((write) => write.kind === kind);
  return repeatOld(client, earlier, (write) => forged(write, world));
}

const withdrawals: Role = (client, world) =>
  client.loop(LONG, () =>
    client.random.chance(0.1)
      ? repeat(client, world, 'withdraw')
      : pursue(client, newWithdrawal(client, world)),
  );

/** @param before the process that was there when the request was sent */
function seenAccount(client: Client, at: string): (answer: Answer) => SeenVersion {
  const before = client.processOf(at);
  return (answer) => {
    const { balance, name } = jsonOf<{ name: string; balance: { amount: number } }>(answer);
    const version = Number(/^"a(\d+)"$/.exec(answer.headers.etag ?? '')?.[1]);
    const stale = answer.headers['cache-status'] !== undefined;
    const process = client.processOf(at);
    return { version, balance: balance.amount, name, stale, ...(process === before && { process }) };
  };
}

/**
 * Changes names with `If-Match`: by the version that it saw last, seldom `*`. A change of any version that is never answered may
 * have taken place at any time, and many of them make a history hard to check.
 */
const changes: Role = async (client, world) => {
  const versions = new Map<string, number>();
  await client.loop(LONG, async () => {
    const { id, owner } = client.random.pick(world.hot);
    const version = versions.get(id) ?? (await readVersion(client, id));
    if (version === undefined) return;
    const ifMatch = client.random.chance(0.1) ? '*' : `"a${version}"`;
    const name = `${client.name} ${client.history.operations.length}`;
    const at = client.anyApi();
    const { operation } = await client.ask(
      at,
      { kind: 'change', object: id, input: { name, version: ifMatch === '*' ? undefined : version } },
      {
        method: 'PATCH',
        path: `${ACCOUNTS}/${id}`,
        token: owner.token,
        headers: { 'If-Match': ifMatch },
        body: { name },
      },
      seenAccount(client, at),
    );
    if (operation.outcome === 'ok') versions.set(id, (operation.value as SeenVersion).version);
    else versions.delete(id);
  });
};

/** Reads accounts through the cache, at either api. */
const cachedReads: Role = (client, world) =>
  client.loop(SHORT, () => readVersion(client, client.random.pick([...world.hot, ...world.tills]).id));

async function readVersion(client: Client, id: string): Promise<number | undefined> {
  const about = { kind: 'read-account', object: id, input: {} };
  const at = client.anyApi();
  const ask = { method: 'GET', path: `${ACCOUNTS}/${id}` } as const;
  const { operation } = await client.ask(at, about, ask, seenAccount(client, at));
  return (operation.value as SeenVersion | undefined)?.version;
}

/** Reads what has no cache: transfers, lists, statements. */
const reads: Role = (client, world) =>
  client.loop(SHORT, async () => {
    const choice = client.random.next();
    const account = client.random.pick(world.hot);
    if (choice < 0.5) await readTransfer(client, world);
    else if (choice < 0.8) await listTransfers(client, account);
    else await readStatement(client, account);
  });

async function readTransfer(client: Client, world: World): Promise<void> {
  const latest = world.transfers.slice(-50);
  if (latest.length === 0) return;
  const { id, owner } = client.random.pick(latest);
  const ask = { method: 'GET', path: `${TRANSFERS}/${id}`, token: owner.token } as const;
  const about = { kind: 'read-transfer', object: id, input: {} };
  await client.ask(client.anyApi(), about, ask, (answer) => jsonOf<{ id: string }>(answer).id);
}

async function listTransfers(client: Client, { owner }: Account): Promise<void> {
  const limit = client.random.pick([5, 20, 100]);
  const ask = { method: 'GET', path: `${TRANSFERS}?limit=${limit}`, token: owner.token } as const;
  const about = { kind: 'list-transfers', object: owner.id, input: { limit } };
  await client.ask(client.anyApi(), about, ask, (answer) =>
    jsonOf<{ data: { id: string }[] }>(answer).data.map(({ id }) => id),
  );
}

async function readStatement(client: Client, { id, owner }: Account): Promise<void> {
  const ask = { method: 'GET', path: `${ACCOUNTS}/${id}/statement`, token: owner.token } as const;
  const about = { kind: 'statement', object: id, input: {} };
  await client.ask(client.anyApi(), about, ask, ({ text }) => text);
}

/** Orders prints (a plain queue), and adds payees (TypeORM and BullMQ as their documentation has them). */
const plainFeatures: Role = (client, world) =>
  client.loop(LONG, async () => {
    const { id, owner } = client.random.pick(world.tills);
    if (client.random.chance(0.5)) {
      const ask = { method: 'POST', path: `${ACCOUNTS}/${id}/prints`, token: owner.token } as const;
      const about = { kind: 'print', object: id, input: {} };
      await client.ask(client.anyApi(), about, ask, (answer) => jsonOf<{ id: string }>(answer).id);
    } else if (client.random.chance(0.7)) {
      const name = `${client.name} ${client.history.operations.length}`;
      const ask = { method: 'POST', path: '/v1/payees', token: owner.token, body: { name } } as const;
      const about = { kind: 'payee', object: owner.id, input: { name } };
      await client.ask(client.anyApi(), about, ask, (answer) => jsonOf<{ id: string }>(answer).id);
    } else {
      const ask = { method: 'GET', path: '/v1/payees', token: owner.token } as const;
      const about = { kind: 'list-payees', object: owner.id, input: {} };
      await client.ask(client.anyApi(), about, ask, (answer) =>
        jsonOf<{ name: string }[]>(answer).map(({ name }) => name),
      );
    }
  });

export { transfers, withdrawals, changes, cachedReads, reads, plainFeatures };
