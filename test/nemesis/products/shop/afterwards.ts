import { Client } from '../../clients/client.ts';
import { attempt, settle } from '../../clients/keyed-writes.ts';
import { hasEnded, refresh, tryAgain } from '../../clients/sessions.ts';
import type { Afterwards } from '../../product.ts';
import { APIS, type Rig } from '../../rig.ts';
import { download } from './clients.ts';
import { newOrder, worldOf, type World } from './world.ts';

/** Name of the client that acts once everything is whole again. */
export const AFTERWARDS = 'afterwards';

/** Retries what was never answered, uses every session that is alive, downloads every export, and tries each api. */
export async function afterwards(rig: Rig, { random, history, within }: Afterwards): Promise<void> {
  const world = worldOf(rig);
  const client = new Client({ name: AFTERWARDS, random, history, rig });
  const deadline = setTimeout(() => client.end(), within);
  try {
    for (const write of world.writes.filter(({ settled }) => !settled)) await settle(client, write);
    for (const session of world.sessions) {
      if (hasEnded(session)) await tryAgain(client, session);
      // Twice: the successor has to work as well.
      for (let i = 0; i < 2 && session.state === 'alive'; i += 1) await refresh(client, world, session);
    }
    for (const wanted of world.exports) await downloadWhenReady(client, wanted);
    for (const at of APIS) await order(client, world, at);
  } finally {
    clearTimeout(deadline);
    client.close();
  }
}

async function downloadWhenReady(client: Client, wanted: World['exports'][number]): Promise<void> {
  while (!client.isOver) {
    const { operation, answer } = await download(client, wanted);
    if (operation.outcome === 'ok') return;
    await client.waitToRetry(answer);
  }
}

async function order(client: Client, world: World, at: string): Promise<void> {
  const write = newOrder(client, world);
  while (!client.isOver && !write.settled) {
    const { answer } = await attempt(client, write, { at });
    if (!write.settled) await client.waitToRetry(answer);
  }
}
