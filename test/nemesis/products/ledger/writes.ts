import type { Client, Done } from '../../clients/client.ts';
import { jsonOf, type About, type Asked } from '../../clients/client.ts';
import { TRANSFERS } from '../../../specimen/outside.ts';
import { APIS } from '../../rig.ts';
import type { Account, KeyedWrite, World } from './world.ts';

const METHODS = [
  ['pm_card_ok', 8],
  ['pm_card_declined', 3],
  ['pm_card_charged_then_dropped', 3],
  ['pm_card_slow', 2],
  ['pm_card_error', 2],
  ['pm_card_hang', 1],
] as const;

export function newTransfer(client: Client, world: World): KeyedWrite {
  const { random } = client;
  const from = random.pick(world.hot);
  const others = world.hot.filter((account) => account !== from);
  const amount = world.nextAmount();
  const parts = [{ to: random.pick(others).id, amount }];
  return remember(world, 'transfer', client, from, TRANSFERS, { from: from.id, parts }, amount);
}

export function newWithdrawal(client: Client, world: World): KeyedWrite {
  const from = client.random.pick(world.tills);
  const amount = world.nextAmount();
  const [method] = client.random.weighted(METHODS, ([, weight]) => weight);
  const path = `/v1/accounts/${from.id}/withdrawals`;
  return remember(world, 'withdraw', client, from, path, { amount, method }, amount);
}

/** The same write with another amount, which nothing may come of. */
export function forged(write: KeyedWrite, world: World): object {
  const amount = world.nextAmount();
  world.forbidden.push(amount);
  const { parts } = write.body as { parts?: { to: string }[] };
  return { ...write.body, ...(parts ? { parts: [{ ...parts[0], amount }] } : { amount }) };
}

function remember(
  world: World,
  kind: KeyedWrite['kind'],
  client: Client,
  { id: from, owner }: Account,
  path: string,
  body: object,
  amount: number,
): KeyedWrite {
  const key = `${client.name}-${world.writes.length}`;
  const write = { key, kind, owner, from, path, body, amount, settled: false };
  world.writes.push(write);
  return write;
}

/** Sends a write once, as a client that may give up or hang up. */
export async function attempt(
  client: Client,
  world: World,
  write: KeyedWrite,
  { at = client.anyApi(), ...ask }: Partial<Asked> & { at?: string } = {},
): Promise<Done> {
  const { kind, from, key, body, path, owner } = write;
  const sent = ask.body ?? body;
  const about: About = { kind: ask.body ? `forged-${kind}` : kind, object: from, key, input: sent };
  const headers = { 'Idempotency-Key': key };
  const done = await client.ask(
    at,
    about,
    { method: 'POST', path, headers, body: sent, token: owner.token, ...ask },
    (answer) => jsonOf<{ id: string }>(answer),
  );
  if (!ask.body && isFinal(done) && !write.settled) {
    write.settled = true;
    if (kind === 'transfer' && done.operation.outcome === 'ok')
      world.transfers.push({ id: (done.operation.value as { id: string }).id, owner });
  }
  return done;
}

/** Whether a retry would get the same answer, or has no sense. */
export function isFinal({ operation: { outcome, status, code } }: Done): boolean {
  if (outcome === 'ok') return true;
  if (outcome === 'unknown' || code === 'idempotency-key-in-use') return false;
  return status !== 401 && status !== 429 && status !== 503 && status !== 408;
}

/** How a client that is neither patient nor careful asks. */
function moodOf({ random }: Client): Partial<Asked> {
  const mood = random.next();
  if (mood < 0.1) return { hangUpAfterMs: random.integer(0, 60) };
  if (mood < 0.25) return { patienceMs: random.integer(100, 3_000) };
  return {};
}

/** Sends a write until it is answered, the load is over, or the client leaves it for later. */
export async function pursue(client: Client, world: World, write: KeyedWrite): Promise<void> {
  while (!write.settled && !client.isOver) {
    if (client.random.chance(0.06)) {
      // The same key at both apis at once.
      await Promise.all(APIS.map((at) => attempt(client, world, write, { at })));
      await client.pause(200);
    } else {
      const done = await attempt(client, world, write, moodOf(client));
      if (isFinal(done)) return;
      if (client.random.chance(0.1)) return;
      await client.waitToRetry(done.answer);
    }
  }
}

/** Sends a write of earlier again: as it was, or with another body under the old key. */
export async function repeatOld(client: Client, world: World, kind: KeyedWrite['kind']): Promise<void> {
  const old = world.writes.filter((write) => write.kind === kind);
  if (old.length === 0) return;
  const write = client.random.pick(old);
  if (write.settled && client.random.chance(0.3))
    await attempt(client, world, write, { body: forged(write, world) });
  else await attempt(client, world, write);
}
