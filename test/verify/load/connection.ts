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
 * A client of one server, with one kept connection and one request at a time. It connects when it has something to send,
 * and again after the server has said `Connection: close` or has closed between two requests, as it may.
 */
export class Connection {
  readonly port: number;
  private socket: Socket | undefined;
  private readonly reader = new ResponseReader();
  private answers = 0;
  private onEnd: ((ending: Ending) => void) | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get isBusy(): boolean {
    return this.onEnd !== undefined;
  }

  send(bytes: string, onEnd: (ending: Ending) => void): void {
    this.onEnd = onEnd;
    const socket = this.socket ?? this.open();
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

  private open(): Socket {
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
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
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      if (failure?.code === 'ECONNREFUSED') this.fail('connect-refused', failure.code);
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
