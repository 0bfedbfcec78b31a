import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/**
 * A TCP port on 127.0.0.1 on which nothing listens, and which no other process gets from here while this one lives: not before
 * the server listens, nor while it is restarted.
 *
 * It is below the system's ephemeral range on purpose. A server that is killed and started again on "its" port
 * would otherwise now and then find that port taken: by the local end of an outgoing connection, or even by a client
 * that reconnected to itself.
 */
export async function freePort(): Promise<number> {
  const end = Math.min(firstEphemeralPort(), 32_768);
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const port = randomInt(20_000, end);
    if ((await isPortFree(port)) && (await reservePort(port))) return port;
  }
  throw new Error(`No free port between 20000 and ${end}`);
}

/**
 * Whether this process is the first to ask for the port. The mark is the UDP port of the same number, which the kernel takes back
 * when the process ends, however it ends.
 */
export function reservePort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const mark = createSocket('udp4').unref();
    mark.once('error', () => {
      mark.close();
      resolve(false);
    });
    mark.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}

/** `preferred` when it is free, else any free port. */
export async function portOr(preferred: number): Promise<number> {
  return (await isPortFree(preferred)) ? preferred : freePort();
}

/** Tries the port on all addresses and on the loopback address: a listener on either makes it taken. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '0.0.0.0')) && canListen(port, '::');
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      // A machine without IPv6 has no collisions there.
      else if (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL') resolve(true);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function firstEphemeralPort(): number {
  try {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const first = Number(range.trim().split(/\s+/)[0]);
    return first > 21_000 ? first : 32_768;
  } catch {
    return 32_768;
  }
}
