import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** The behaviour of a hostile client on each of its connections; it reconnects whenever it is cut off. */
export interface Hostility {
  /** Sent first, at once. */
  opening: string;
  /** Sent then, once a second. */
  trickle?: string;
  /** Default true: answers are read. */
  reads?: boolean;
}

/** A pause before a client that was cut off reconnects, so that the load of the clients itself does no harm. */
const COME_BACK_AFTER_MS = 200;
/** Far below the limit of connections per address: that limit does not stop an attack from many addresses. */
const CLIENTS_PER_ADDRESS = 50;

/** Hostile clients, from many addresses of the loopback network. */
export class HostileClients {
  private readonly sockets = new Set<Socket>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private started = 0;
  private ended = false;
  /** How often one was cut off by the server. */
  cutOff = 0;

  get connected(): number {
    return [...this.sockets].filter(({ readyState }) => readyState !== 'opening').length;
  }

  /** Starts `howMany` of a kind, one after another within `overMs`, in turn at each of `ports`. */
  start(howMany: number, { ports, overMs }: { ports: number[]; overMs: number }, hostility: Hostility): void {
    for (let n = 0; n < howMany; n += 1) {
      const client = this.started;
      this.started += 1;
      const from = `127.0.1.${1 + Math.floor(client / CLIENTS_PER_ADDRESS)}`;
      this.later((overMs * n) / howMany, () => this.attack(ports[client % ports.length]!, from, hostility));
    }
  }

  stop(): void {
    this.ended = true;
    for (const timer of this.timers) clearTimeout(timer);
    for (const socket of this.sockets) socket.destroy();
  }

  private attack(port: number, from: string, hostility: Hostility): void {
    const { opening, trickle, reads = true } = hostility;
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    this.sockets.add(socket);
    socket.write(opening, 'latin1');
    if (reads) socket.resume();
    const trickling =
      trickle === undefined ? undefined : setInterval(() => socket.write(trickle, 'latin1'), 1_000);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(trickling);
      this.sockets.delete(socket);
      if (this.ended) return;
      this.cutOff += 1;
      this.later(COME_BACK_AFTER_MS, () => this.attack(port, from, hostility));
    });
  }

  private later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
  }
}
