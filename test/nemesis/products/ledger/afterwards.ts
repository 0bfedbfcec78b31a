import { setTimeout as delay } from 'node:timers/promises';
import { ACCOUNTS, TRANSFERS } from '../../../specimen/outside.ts';
import { servesAtOnce } from '../../clients/at-once.ts';
import { Client, type Done } from '../../clients/client.ts';
import type { Afterwards } from '../../product.ts';
import { APIS, WORKERS, type Rig } from '../../rig.ts';
import { attempt, settle } from '../../clients/keyed-writes.ts';
import { hasEnded, refresh, tryAgain } from '../../clients/sessions.ts';
import { worldOf, type World } from './world.ts';
import { newTransfer } from './writes.ts';

/** Name of the client that acts once everything is whole again. */
export const AFTERWARDS = 'afterwards';
const AT_ONCE = 8;
const PRINTS_A_ROUND = 10;

/** Retries what was never answered, uses every session that is alive, and tries whether every process works. */
export async function afterwards(rig: Rig, { random, history, within }: Afterwards): Promise<void> {
  const world = worldOf(rig);
  const client = new Client({ name: AFTERWARDS, random, history, rig });
  const deadline = setTimeout(() => client.end(), within);
  try {
    await Promise.all([
      each(
        world.writes.filter(({ settled }) => !settled),
        (write) => settle(client, write),
      ),
      each(world.sessions, async (session) => {
        if (hasEnded(session)) await tryAgain(client, session);
        // Twice: the successor has to work as well.
        for (let i = 0; i < 2 && session.state === 'alive'; i += 1) await refresh(client, world, session);
      }),
      ...APIS.map((at) => useApi(client, world, at)),
    ]);
    for (const at of APIS)
      if ((await servesAtOnce(client, () => print(client, world, at))) === false) world.refusing.push(at);
    await useWorkers(client, world, rig);
  } finally {
    clearTimeout(deadline);
    client.close();
  }
}

async function each<T>(all: readonly T[], act: (one: T) => Promise<unknown>): Promise<void> {
  const rest = [...all];
  const work = async (): Promise<void> => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await act(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** A write, a read through the cache and one without, at this api. */
async function useApi(client: Client, world: World, at: string): Promise<void> {
  const [account] = world.tills;
  const write = newTransfer(client, world);
  const asks = [
    () => attempt(client, write, { at }),
    () =>
      client.ask(
        at,
        { kind: 'read-account', input: {} },
        { method: 'GET', path: `${ACCOUNTS}/${account!.id}` },
      ),
    () =>
      client.ask(
        at,
        { kind: 'list-transfers', input: { limit: 1 } },
        { method: 'GET', path: `${TRANSFERS}?limit=1`, token: account!.owner.token },
      ),
  ];
  for (const ask of asks) {
    while (!client.isOver) {
      const { operation, answer } = await ask();
      if (operation.outcome === 'ok' || operation.status === 409) break;
      await client.waitToRetry(answer);
    }
  }
}

/** Orders a print: a write without a lock that others wait for. */
function print(client: Client, { tills }: World, at: string): Promise<Done> {
  const { id, owner } = tills[0]!;
  const about = { kind: 'print', object: id, input: {} };
  const ask = { method: 'POST', path: `${ACCOUNTS}/${id}/prints`, token: owner.token } as const;
  return client.ask(at, about, ask, ({ text }) => (JSON.parse(text) as { id: string }).id);
}

/** Orders prints until every worker has made some. */
async function useWorkers(client: Client, world: World, rig: Rig): Promise<void> {
  const before = await Promise.all(WORKERS.map((name) => handledBy(rig, name)));
  while (!client.isOver && world.workersAtWork.size < WORKERS.length) {
    await Promise.all(Array.from({ length: PRINTS_A_ROUND }, () => print(client, world, client.anyApi())));
    await delay(300);
    for (const [i, name] of WORKERS.entries())
      if ((await handledBy(rig, name)) > before[i]!) world.workersAtWork.add(name);
  }
}

/** Deliveries that a worker has handled since its start. */
async function handledBy(rig: Rig, name: (typeof WORKERS)[number]): Promise<number> {
  const answer = await rig.processes
    .get(name)
    ?.management.get('/metrics')
    .catch(() => undefined);
  const lines = (answer?.text ?? '')
    .split('\n')
    .filter((line) => line.startsWith('messaging_events_handled_total{'));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
