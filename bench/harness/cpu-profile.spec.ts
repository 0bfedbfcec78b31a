import { describe, expect, it } from 'vitest';
import { costsOf, originOf } from './cpu-profile.ts';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 6 });
const profile = {
  nodes: [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('get', 'file:///app/dist/modules/accounts/accounts.service.js') },
    { id: 3, callFrame: frame('query', 'file:///app/node_modules/pg/lib/client.js') },
  ],
  startTime: 1000,
  samples: [2, 1, 3, 2, 3],
  timeDeltas: [100, 100, 300, 100, 100],
};

describe('the costs in a CPU profile', () => {
  it('are shares of the busy time of the process', () => {
    const { busyShare, byOrigin, byFunction } = costsOf(profile, [{ from: 0, to: Infinity }]);
    expect(busyShare).toBeCloseTo(6 / 7);
    expect(byOrigin).toEqual([
      { what: 'pg', share: 4 / 6 },
      { what: 'src/modules/accounts/accounts.service', share: 2 / 6 },
    ]);
    expect(byFunction[0]?.what).toBe('query pg/lib/client.js:7');
  });

  it('exclude what happened before and after the measurement', () => {
    const { byOrigin } = costsOf(profile, [{ from: 1050, to: 1250 }]);
    expect(byOrigin).toEqual([{ what: 'src/modules/accounts/accounts.service', share: 1 }]);
  });

  it.each([
    ['file:///app/node_modules/@nestjs/core/router/router-proxy.js', '@nestjs/core'],
    ['file:///app/node_modules/a/node_modules/b/index.js', 'b'],
    ['node:net', 'node:net'],
    ['file:///app/bench/bare/server.ts', 'bench/bare/server'],
  ])('name %s as %s', (url, origin) => {
    expect(originOf(url, 'f')).toBe(origin);
  });

  it('name what has no file as V8 does', () => {
    expect(originOf('', '(garbage collector)')).toBe('(garbage collector)');
  });
});
