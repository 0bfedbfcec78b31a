import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** `there`: from the client to the server. */
export type Direction = 'there' | 'back';

export interface TcpProxy {
  readonly port: number;
  /** How many clients are connected. */
  readonly connections: number;
  /**
   * New connections go there from now on. Open ones stay where they are, as when a DNS name or a virtual IP moves to another
   * server.
   */
  pointTo(port: number): void;
  /** Cuts all connections; new ones are still accepted. */
  cut(): void;
  /** Stops forwarding in both directions; connections stay open, new ones are accepted and get no answer. */
  freeze(): void;
  thaw(): void;
  /** Everything arrives so much later, in both directions and in order; 0 for no longer. */
  delay(milliseconds: number): void;
  /** Drops what is sent in these directions, the end of a connection included, without an error. What is dropped is lost. */
  swallow(...directions: Direction[]): void;
  stop(): Promise<void>;
}

/** A TCP proxy on 127.0.0.1 in this process, for tests of what happens when a server moves: a failover, a new Service, a pooler. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let clients = 0;
  let frozen = false;
  let lateMs = 0;
  let swallowed: Direction[] = [];

  const forward = (from: Socket, to: Socket, direction: Direction): void => {
    sockets.add(from);
    from.setNoDelay(true);
    if (frozen) from.pause();
    const waiting: { due: number; act: () => void }[] = [];
    const deliver = (): void => {
      for (let first = waiting[0]; first; first = waiting[0]) {
        const early = first.due - performance.now();
        if (early > 0) return void setTimeout(deliver, early);
        first.act();
        waiting.shift();
      }
    };
    /** In the order in which it came, also when the delay has become shorter meanwhile or a timer is late. */
    const later = (act: () => void): void => {
      if (swallowed.includes(direction)) return;
      waiting.push({ due: performance.now() + lateMs, act });
      if (waiting.length === 1) deliver();
    };
    from.on('data', (chunk) =>
      later(() => {
        if (!to.writable || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => frozen || from.resume());
      }),
    );
    // An end of one side reaches the other after all earlier data; a reset or a destroy at once.
    from.on('end', () => later(() => to.end()));
    from.on('error', () => swallowed.includes(direction) || to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      later(() => to.destroySoon());
    });
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    clients += 1;
    client.on('close', () => (clients -= 1));
    forward(client, upstream, 'there');
    forward(upstream, client, 'back');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return clients;
    },
    pointTo: (port) => {
      target = port;
    },
    cut,
    freeze: () => {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw: () => {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    delay: (milliseconds) => {
      lateMs = milliseconds;
    },
    swallow: (...directions) => {
      swallowed = directions;
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
