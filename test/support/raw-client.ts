import { connect, type Socket } from 'node:net';
import { waitFor } from '../../local/wait-for.ts';

/** What a server has sent as one answer. */
export interface RawAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

export interface RawClientOptions {
  /** The loopback address it comes from, for instance 127.0.0.2. */
  from?: string;
  /** Default true. */
  reads?: boolean;
}

/** A client that sends exactly the bytes it is told to, when it is told to, and reads only if it is to. */
export class RawClient {
  private received = '';
  private asksForHeads = false;
  /** Whether the connection has ended, by whichever side. */
  closed = false;

  private constructor(readonly socket: Socket) {
    socket.on('error', () => undefined).on('close', () => (this.closed = true));
  }

  /** Connects, or rejects when that is refused. */
  static async open(url: string, { from, reads = true }: RawClientOptions = {}): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), localAddress: from });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    if (reads) socket.on('data', (data) => (client.received += data.toString('latin1')));
    return client;
  }

  send(...lines: string[]): this {
    this.asksForHeads ||= lines[0]?.startsWith('HEAD ') ?? false;
    this.socket.write(lines.join('\r\n'), 'latin1');
    return this;
  }

  /** Everything that has come back, answers in their order; an incomplete one at the end is left out. */
  answers(): RawAnswer[] {
    const answers: RawAnswer[] = [];
    let rest = this.received;
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1) return answers;
      const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => [
          line.slice(0, line.indexOf(':')).toLowerCase(),
          line.slice(line.indexOf(':') + 1).trim(),
        ]),
      );
      const status = Number(statusLine.split(' ')[1]);
      const isBare = this.asksForHeads || status < 200 || status === 204 || status === 304;
      const length = isBare ? 0 : Number(headers['content-length'] ?? Infinity);
      rest = rest.slice(end + 4);
      if (rest.length < length && length !== Infinity) return answers;
      answers.push({ status, headers, body: rest.slice(0, length) });
      rest = rest.slice(length);
    }
  }

  /** Waits for as many answers, and returns them. */
  async receives(count: number): Promise<RawAnswer[]> {
    return waitFor(() => this.answers().length >= count && this.answers(), {
      within: 20_000,
      what: `${count} answers`,
    });
  }

  /** Waits for the server to end the connection, and returns the answers until then. */
  async ended(within = 20_000): Promise<RawAnswer[]> {
    await waitFor(() => this.closed, { within, what: 'the end of the connection' });
    return this.answers();
  }

  /** Leaves at once, as a process that is killed does. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.socket.destroy();
  }
}
