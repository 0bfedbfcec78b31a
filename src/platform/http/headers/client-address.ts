import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;
/** `1.2.3.4:5678`, `[2001:db8::1]:5678`, `[2001:db8::1]`; the first of the two groups that matches is the address. */
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]*)\](?::\d+)?)$/;

/**
 * The client's address, as reported by the trusted proxies, without a zone, which is meaningful on one machine only (RFC 4007).
 * Text that is not an address becomes `unknown`: where too many proxies are trusted, a client can send any text.
 */
export function clientAddress({ ip }: Pick<FastifyRequest, 'ip'>): string {
  const address = ip.includes(':') ? ip.replace(/%.*$/, '').replace(MAPPED_IPV4, '') : ip;
  return isIP(address) === 0 ? 'unknown' : address;
}

/**
 * Removes ports from X-Forwarded-For. Some proxies add the port (Azure's do). Then each connection of a client would count as
 * another address, and a trusted proxy would not be recognised.
 */
export function withoutForwardedPorts({ headers }: IncomingMessage): void {
  const forwarded = headers['x-forwarded-for'];
  if (typeof forwarded !== 'string' || !forwarded.includes(':')) return;
  headers['x-forwarded-for'] = forwarded
    .split(',')
    .map((entry) => {
      const address = entry.trim();
      const [, v4, v6] = WITH_PORT.exec(address) ?? [];
      return v4 ?? v6 ?? address;
    })
    .join(', ');
}

/** Networks of recent IPv6 addresses: computing one costs several times as much as the rest of a rate limit. */
const networks = new LRUCache<string, string>({ max: 10_000 });

/**
 * What counts as one client. For IPv6 that is a network: a /64 is the least that one subscriber gets; many get a /48, which
 * anybody can rent (RFC 6177). An IPv4 address stands for itself.
 */
export function networkOf(address: string, bits: 48 | 64 = 64): string {
  if (!address.includes(':')) return address;
  const key = `${address}/${bits}`;
  let network = networks.get(key);
  if (network === undefined) networks.set(key, (network = prefixOf(address, bits)));
  return network;
}

function prefixOf(address: string, bits: number): string {
  const plain = clientAddress({ ip: address });
  if (isIP(plain) !== 6) return plain;
  // The URL parser writes an IPv6 address in its one canonical form (RFC 5952).
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return `${groups.slice(0, bits / 16).join(':')}::/${bits}`;
}
