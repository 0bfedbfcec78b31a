import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { headerOf, ResponseReader } from './response-reader.ts';
import type { Answer } from './response-reader.ts';

/** How one request on a connection ended. */
export type Ending =
  | { kind: 'answer'; answer: Answer }
  /** `fresh`: it was the first request on its connection, which the server may not even have seen yet. */
  | { kind: 'reset' | 'connect-refused' | 'timeout' | 'malformed'; detail: string; fresh: boolean };

/**
 * The source ports of fresh connections, each used again only after all others. The system's choice may be one that a server or a
 * proxy on the way still holds in TIME_WAIT, because it closed first (an api that stops does); then packets are dropped, and the
 * client is to blame. Below the ports that Linux chooses by itself.
 */
const SOURCE_PORTS = { first: 10_000, last: 32_000 };
// Not always the same one: the last run may have ended a moment ago.
let sourcePort = SOURCE_PORTS.first + Math.floor(Math.random() * (SOURCE_PORTS.last - SOURCE_PORTS.first));

function nextSourcePort(): number {
  sourcePort = sourcePort === SOURCE_PORTS.last ? SOURCE_PORTS.first : sourcePort + 1;
  return sourcePort;
}

/**
 * A client of one server, with one kept connection and one request at a time. It connects when it has something to send,
 * and again after the server has said `Connection: close` or has closed between two requests, as it may.
 */
export class Connection {
  readonly host: string;
  readonly port: number;
  /** For one request. */
  readonly fresh: boolean;
  private socket: Socket | undefined;
  private readonly reader = new ResponseReader();
  private answers = 0;
  private onEnd: ((ending: Ending) => void) | undefined;

  constructor(port: number, { host = '127.0.0.1', fresh = false } = {}) {
    this.host = host;
    this.port = port;
    this.fresh = fresh;
  }

  get isBusy(): boolean {
    return this.onEnd !== undefined;
  }

  send(bytes: string, onEnd: (ending: Ending) => void): void {
    this.onEnd = onEnd;
    const socket = this.socket ?? this.open(bytes);
    socket.write(bytes, 'latin1');
  }

  /** Cancels the running request; the connection cannot be used after that and is closed. */
  giveUp(): void {
    this.drop();
    this.fail('timeout', 'no answer in time');
  }

  close(): void {
    this.onEnd = undefined;
    this.drop();
  }

  private open(bytes: string): Socket {
    const localPort = this.fresh ? nextSourcePort() : undefined;
    const socket = connect({ port: this.port, host: this.host, noDelay: true, localPort });
    this.socket = socket;
    this.reader.reset();
    this.answers = 0;
    let failure: NodeJS.ErrnoException | undefined;
    socket.on('data', (chunk: Buffer) => {
      if (this.socket === socket) this.read(chunk);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error;
    });
    // Between two requests: 'close' comes only at the end of the turn, and the next request may come before.
    socket.on('end', () => {
      if (this.socket === socket && !this.isBusy) this.socket = undefined;
    });
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      // The source port belongs to somebody else: nothing was sent.
      if (failure?.code === 'EADDRINUSE') this.open(bytes).write(bytes, 'latin1');
      else if (failure?.code === 'ECONNREFUSED') this.fail('connect-refused', failure.code);
      else {
        const what = this.reader.hasBegun ? 'in the middle of an answer' : 'before the answer';
        this.fail('reset', `${failure?.code ?? 'closed'} ${what}`);
      }
    });
    return socket;
  }

  private read(chunk: Buffer): void {
    try {
      const answer = this.reader.push(chunk);
      if (!answer) return;
      this.answers += 1;
      if (headerOf(answer.head, 'connection') === 'close') this.drop();
      this.end({ kind: 'answer', answer });
    } catch (error) {
      this.drop();
      this.fail('malformed', (error as Error).message);
    }
  }

  private drop(): void {
    const { socket } = this;
    this.socket = undefined;
    socket?.destroy();
  }

  private fail(kind: Exclude<Ending['kind'], 'answer'>, detail: string): void {
    this.end({ kind, detail, fresh: this.answers === 0 });
  }

  private end(ending: Ending): void {
    const { onEnd } = this;
    this.onEnd = undefined;
    onEnd?.(ending);
  }
}
