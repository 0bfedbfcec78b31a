import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

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
  stop(): Promise<void>;
}

/** A TCP proxy on 127.0.0.1 in this process, for tests of what happens when a server moves: a failover, a new Service, a pooler. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let clients = 0;
  let frozen = false;
  const keep = (socket: Socket, partner: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    if (frozen) socket.pause();
    // An end of one side reaches the other after all earlier data; a reset or a destroy at once.
    socket.on('error', () => partner.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      partner.destroySoon();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    clients += 1;
    client.on('close', () => (clients -= 1));
    client.pipe(upstream);
    upstream.pipe(client);
    keep(client, upstream);
    keep(upstream, client);
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
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
