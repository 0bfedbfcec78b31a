import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import pg from 'pg';

/** A server that does not even accept this has worse problems than one statement. */
const TIMEOUT_MS = 1000;
/** Each costs the server a process. A statement that is not cancelled ends by `statement_timeout`. */
const AT_ONCE = 16;

let underWay = 0;

type Wire = {
  stream: Socket;
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
  on(event: 'connect' | 'sslconnect' | 'end', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
};
type Connected = {
  host: string;
  processID: number;
  secretKey: number;
  ssl: boolean | object;
  sslNegotiation: 'postgres' | 'direct';
  connection: Wire;
};
type WireConstructor = new (options: { ssl: object | false; sslNegotiation: string }) => Wire;

/**
 * Asks the server of a connection to cancel what runs on it, by the protocol's CancelRequest (PostgreSQL documentation 54.2.9): it
 * needs no connection from a pool, reaches the server on which the statement runs, also a replica, and is passed on by PgBouncer.
 * A process id (`pg_cancel_backend`) would mean another backend on the primary, and nothing at all on PgBouncer.
 *
 * The protocol does not report whether it came in time.
 * @returns whether the connection can be used again: no cancellation is under way any more that could end a later statement. The
 *   server closes the connection of a request when it has sent the signal.
 */
export async function cancelRequest(client: pg.ClientBase): Promise<boolean> {
  const { host, processID, secretKey, ssl, sslNegotiation, connection } = client as unknown as Connected;
  // The address and not the name, which may resolve to another server by now.
  const { remoteAddress, remotePort } = connection.stream;
  if (underWay >= AT_ONCE || remoteAddress === undefined || remotePort === undefined) return true;
  underWay += 1;
  const tls = ssl && tlsTo(host, ssl === true ? {} : ssl);
  const { Connection } = pg as unknown as { Connection: WireConstructor };
  const wire = new Connection({ ssl: tls, sslNegotiation });
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let sent = false;
  let passedOn = true;
  const cancel = (): void => {
    sent = true;
    wire.cancel(processID, secretKey);
  };
  const giveUp = (): void => {
    passedOn = false;
    wire.stream.destroy();
  };
  const timer = setTimeout(giveUp, TIMEOUT_MS).unref();
  wire.on('connect', () => {
    if (!tls) cancel();
    else if (sslNegotiation !== 'direct') wire.requestSsl();
  });
  wire.on('sslconnect', cancel);
  wire.on('error', giveUp);
  wire.on('end', resolve);
  wire.connect(remotePort, remoteAddress);
  await closed;
  clearTimeout(timer);
  underWay -= 1;
  return passedOn || !sent;
}

/** pg hides the private key from enumeration, and takes the name to verify from the host, which is an address here. */
function tlsTo(host: string, options: object): object {
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(options));
  return isIP(host) === 0 ? Object.assign(copy, { servername: host }) : copy;
}
