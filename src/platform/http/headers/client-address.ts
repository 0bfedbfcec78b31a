import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;
/** `1.2.3.4:5678`, `[2001:db8::1]:5678`, `[2001:db8::1]`; the first of the two groups that matches is the address. */
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]*)\](?::\d+)?)$/;

/**
 * The client's address, as far as the trusted proxies tell it: without a zone, which means something on one machine only (RFC 4007).
 * What is no address is `unknown`: where too many proxies are trusted, it is any text that a client makes up.
 */
export function clientAddress({ ip }: Pick<FastifyRequest, 'ip'>): string {
  const address = ip.includes(':') ? ip.replace(/%.*$/, '').replace(MAPPED_IPV4, '') : ip;
  return isIP(address) === 0 ? 'unknown' : address;
}

/**
 * Removes ports from X-Forwarded-For. Some proxies add the port (Azure's do), and to whoever reads the header each connection of a client
 * would be another address, and a trusted proxy none that is known.
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

/** Networks of IPv6 addresses seen lately: working one out costs as much as the rest of a rate limit several times over. */
const networks = new LRUCache<string, string>({ max: 10_000 });

/**
 * What counts as one client. For IPv6 that is a network: a /64 is the least that one subscriber gets, a /48 what many get and anybody can rent
 * (RFC 6177). An IPv4 address stands for itself.
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
