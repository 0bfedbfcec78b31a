import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientAddress, networkOf, withoutForwardedPorts } from './client-address.js';

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:DB8:0001:2::1', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8:0:0::/64', '2001:db8:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64', 'fe80:0:0::/48'],
    ['::1', '0:0:0:0::/64', '0:0:0::/48'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64', '64:ff9b:0::/48'],
    ['not:an:address', 'unknown', 'unknown'],
    ['', '', ''],
  ])('takes %s as %s, or %s', (address, subscriber, site) => {
    expect([networkOf(address), networkOf(address, 48)]).toEqual([subscriber, site]);
  });
});

describe('clientAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
  ])('of %s is %s', (ip, address) => {
    expect(clientAddress({ ip })).toBe(address);
  });
});

it('does not remember forged addresses, as they occur when too many proxies are trusted', () => {
  for (const ip of [`made-up:${'x'.repeat(10_000)}`, 'made-up', '']) {
    expect(clientAddress({ ip })).toBe('unknown');
  }
});

describe('withoutForwardedPorts', () => {
  it.each([
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:db8::1]:4711, 10.0.0.1:80', '2001:db8::1, 10.0.0.1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1,192.0.2.1', '2001:db8::1, 192.0.2.1'],
    ['192.0.2.1, 10.0.0.1', '192.0.2.1, 10.0.0.1'],
    ['nonsense:1:2, ::, [', 'nonsense:1:2, ::, ['],
  ])('reads %s as %s', (given, expected) => {
    const headers = { 'x-forwarded-for': given };
    withoutForwardedPorts({ headers } as unknown as IncomingMessage);
    expect(headers['x-forwarded-for']).toBe(expected);
  });
});
