import { EventEmitter } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { BlockList, isIPv6, type Socket } from 'node:net';
import { normalizeIp } from '@nestjs/throttler';
import type { HttpSettings } from '../../../config/sections/http.settings.js';
import { Exchange } from './exchange.js';
import { Members } from '../../fast/index.js';

export type RefusedConnection = 'address' | 'total';

const CONNECTION = Symbol('connection');

interface Connection {
  /** In order of arrival, which is also the order of the answers (RFC 9112 section 9.3.2). */
  unanswered: ServerResponse[];
  /** Input after the last of them is neither read nor answered. */
  isEnding: boolean;
}

type PublicSocket = Socket & { [CONNECTION]?: Connection };

interface Events {
  /** Once for each request, when its answer is sent or its connection is gone. */
  end: [exchange: Exchange];
  /** For each answer that is written directly to a socket, to input that was not a request. */
  rawAnswer: [status: number];
  /** For each connection that is closed because there are too many. */
  refused: [limit: RefusedConnection];
}

/** The connections of the public port, bounded, and the requests on them that are not answered yet. */
export class Connections extends EventEmitter<Events> {
  private readonly open = new Members<Connection>();
  private readonly perAddress = new Map<string, number>();
  private readonly proxies = new BlockList();
  private draining = false;

  /** @param limits `trustProxy`: behind a proxy all clients have the same address, so the limit per address does not apply */
  constructor(
    private readonly limits: Pick<
      HttpSettings,
      'maxConnections' | 'maxConnectionsPerAddress' | 'maxPipelined' | 'trustProxy'
    >,
  ) {
    super();
    for (const entry of limits.trustProxy) {
      const [address = '', bits] = entry.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.proxies.addAddress(address, family);
      else this.proxies.addSubnet(address, Number(bits), family);
    }
  }

  /** Call it once, before the server listens. */
  watch(server: Server): void {
    server.maxConnections = this.limits.maxConnections;
    server.on('drop', () => this.emit('refused', 'total'));
    server.on('connection', (socket) => this.accept(socket));
  }

  /**
   * Tracks a request until its answer is sent or its connection is gone.
   * @returns false when it is one too many on its connection
   */
  receive(exchange: Exchange): boolean {
    const { response } = exchange;
    if (this.draining) response.shouldKeepAlive = false;
    const connection = connectionOf(response.req.socket);
    connection.unanswered.push(response);
    response.once('close', () => {
      connection.unanswered.splice(connection.unanswered.indexOf(response), 1);
      this.emit('end', exchange);
    });
    return !connection.isEnding && connection.unanswered.length <= this.limits.maxPipelined;
  }

  /**
   * From now on every answer carries `Connection: close`, also those of requests in flight (RFC 9112 section 9.6): by the time
   * the listener closes no client holds an idle connection on which its next request would be cut off.
   */
  drain(): void {
    this.draining = true;
    for (const { unanswered } of this.open) {
      for (const response of unanswered) response.shouldKeepAlive = false;
    }
  }

  private accept(socket: Socket): void {
    const { remoteAddress = '' } = socket;
    const address = normalizeIp(remoteAddress, 64);
    const count = this.perAddress.get(address) ?? 0;
    // Closed without an answer: an answer before the request is read would be lost in the reset that follows.
    if (count >= this.limits.maxConnectionsPerAddress && !this.isProxy(remoteAddress)) {
      socket.destroy();
      this.emit('refused', 'address');
      return;
    }
    this.perAddress.set(address, count + 1);
    const connection = connectionOf(socket);
    this.open.add(connection);
    socket.once('close', () => {
      this.open.delete(connection);
      const left = (this.perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.perAddress.set(address, left);
      else this.perAddress.delete(address);
    });
  }

  private isProxy(address: string): boolean {
    // Also matches an IPv4 address as a dual-stack socket reports it (`::ffff:10.0.0.1`).
    return this.proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

export function connectionOf(socket: PublicSocket): Connection {
  return (socket[CONNECTION] ??= { unanswered: [], isEnding: false });
}
