import { PAYMENT_METHODS } from '../../clients/cast.ts';
import type { Client } from '../../clients/client.ts';
import { TRANSFERS } from '../../../specimen/outside.ts';
import type { Account, LedgerWrite, World } from './world.ts';

export function newTransfer(client: Client, world: World): LedgerWrite {
  const { random } = client;
  const from = random.pick(world.hot);
  const others = world.hot.filter((account) => account !== from);
  const amount = world.nextAmount();
  const parts = [{ to: random.pick(others).id, amount }];
  return remember(world, 'transfer', client, from, TRANSFERS, { from: from.id, parts }, amount);
}

export function newWithdrawal(client: Client, world: World): LedgerWrite {
  const from = client.random.pick(world.tills);
  const amount = world.nextAmount();
  const [method] = client.random.weighted(PAYMENT_METHODS, ([, weight]) => weight);
  const path = `/v1/accounts/${from.id}/withdrawals`;
  return remember(world, 'withdraw', client, from, path, { amount, method }, amount);
}

/** The same write with another amount, which nothing may come of. */
export function forged(write: LedgerWrite, world: World): object {
  const amount = world.nextAmount();
  world.forbidden.push(amount);
  const { parts } = write.body as { parts?: { to: string }[] };
  return { ...write.body, ...(parts ? { parts: [{ ...parts[0], amount }] } : { amount }) };
}

function remember(
  world: World,
  kind: LedgerWrite['kind'],
  client: Client,
  { id: from, owner }: Account,
  path: string,
  body: object,
  amount: number,
): LedgerWrite {
  const key = `${client.name}-${world.writes.length}`;
  const write: LedgerWrite = { key, kind, owner, object: from, from, path, body, amount, settled: false };
  if (kind === 'transfer') write.acknowledged = ({ id }) => world.transfers.push({ id, owner });
  world.writes.push(write);
  return write;
}
