import type { Clients, Traffic } from '../product.ts';
import type { Rig } from '../rig.ts';
import { Client } from './client.ts';

/** What a client does until it is told to end. */
export type Role<World> = (client: Client, world: World) => Promise<void>;

/** How the methods of payment and their troubles are mixed, with their weights. */
export const PAYMENT_METHODS = [
  ['pm_card_ok', 8],
  ['pm_card_declined', 3],
  ['pm_card_charged_then_dropped', 3],
  ['pm_card_slow', 2],
  ['pm_card_error', 2],
  ['pm_card_hang', 1],
] as const;

/** Starts one client for each role. @param headers that every request has */
export function startCast<World>(
  cast: readonly (readonly [name: string, role: Role<World>])[],
  world: World,
  common: Clients & { rig: Rig; headers?: Record<string, string> },
): Traffic {
  const clients = cast.map(([name, role]) => {
    const client = new Client({ name, ...common });
    return { client, work: role(client, world) };
  });
  return {
    stop: async () => {
      for (const { client } of clients) client.end();
      await Promise.all(clients.map(({ work }) => work));
      for (const { client } of clients) client.close();
    },
  };
}
