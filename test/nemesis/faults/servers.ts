import type { ServerControl } from '../../../local/servers/server-process.ts';
import { Prevented } from '../fault.ts';
import { EDGES, type Edge, type Rig } from '../rig.ts';

/** The present server of that name: a fail-over changes it. */
export function serverOf(rig: Rig, name: string): ServerControl {
  const servers: Record<string, ServerControl | undefined> = {
    postgres: rig.postgres.primary,
    'postgres-standby': rig.postgres.standby,
    redis: rig.redis.primary,
    provider: rig.provider,
    smtp: rig.smtp,
  };
  const server = servers[name];
  if (!server) throw new Prevented(`There is no ${name} now`);
  return server;
}

/** Lets a frozen server continue; starts one that has ended. */
export async function revive(server: ServerControl): Promise<void> {
  if (isRunning(server)) server.thaw();
  else await server.restart();
}

/** Edges that carry something most of the time: mail is the workers' business, and commands are rare. */
export const BUSY_EDGES = EDGES.filter((name) => !/^cli>|^api-\d>smtp$/.test(name));

/** Every connection that begins or ends at a part: `postgres`, `worker-1`. */
export function edgesOf(names: readonly string[], part: string): string[] {
  return names.filter((name) => name.split('>').includes(part));
}

export function edgeOf(rig: Rig, name: string): Edge {
  const edge = rig.edges.get(name);
  if (!edge) throw new Error(`There is no edge ${name}`);
  return edge;
}

function isRunning(server: ServerControl): boolean {
  try {
    return server.pid > 0;
  } catch {
    return false;
  }
}
