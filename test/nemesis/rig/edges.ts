import { startTcpProxy } from '../../../local/servers/tcp-proxy.ts';
import { EDGES, type Edge } from '../rig.ts';

export interface Edges {
  byName: ReadonlyMap<string, Edge>;
  /** Moves every edge that leads to this part; open connections are cut, unless told otherwise. */
  pointTo(part: string, port: number, options?: { keepOpen?: boolean }): void;
  heal(): void;
  stop(): Promise<void>;
}

/** One proxy for each connection between two parts; they lead nowhere before `pointTo`. */
export async function startEdges(): Promise<Edges> {
  const opened = await Promise.all(EDGES.map(async (name) => ({ name, ...(await startEdge()) })));
  return {
    byName: new Map(opened.map(({ name, edge }) => [name, edge])),
    pointTo: (part, port, options) => {
      for (const { name, edge } of opened) if (name.endsWith(`>${part}`)) edge.pointTo(port, options);
    },
    heal: () => {
      for (const { edge } of opened) edge.heal();
    },
    stop: async () => {
      await Promise.all(opened.map((one) => one.stop()));
    },
  };
}

async function startEdge(): Promise<{ edge: Edge; stop(): Promise<void> }> {
  const proxy = await startTcpProxy(0);
  let swallows = false;
  const edge: Edge = {
    port: proxy.port,
    pointTo: (port, { keepOpen = false } = {}) => {
      proxy.pointTo(port);
      if (!keepOpen) proxy.cut();
    },
    cut: () => proxy.cut(),
    delay: (milliseconds) => proxy.delay(milliseconds),
    blackHole: (direction) => {
      swallows = true;
      proxy.swallow(...(direction === 'both' ? (['there', 'back'] as const) : [direction]));
    },
    freeze: () => proxy.freeze(),
    heal: () => {
      proxy.delay(0);
      proxy.swallow();
      proxy.thaw();
      if (swallows) proxy.cut();
      swallows = false;
    },
  };
  return { edge, stop: () => proxy.stop() };
}
