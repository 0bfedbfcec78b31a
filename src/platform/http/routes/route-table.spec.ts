import { describe, expect, it } from 'vitest';
import { RouteTable } from './route-table.js';

const handler = () => undefined;

describe('the route table', () => {
  const table = new RouteTable();
  table.add({ method: 'GET', url: '/v1/things', handler });
  table.add({ method: ['POST'], url: '/v1/things', handler });
  table.add({ method: 'GET', url: '/v1/things/:id', handler });
  table.add({ method: 'GET', url: '/docs/*', handler });

  it('knows the methods of a path', () => {
    expect(table.allowed('/v1/things')).toEqual(['GET', 'POST']);
    expect(table.allowed('/v1/things/7')).toEqual(['GET']);
    expect(table.allowed('/docs/a/b')).toEqual(['GET']);
  });

  it('knows unknown paths', () => {
    expect(table.allowed('/v1/things/7/x')).toEqual([]);
    expect(table.allowed('/v1xorders')).toEqual([]);
  });

  it('lists patterns for comparison with the documentation', () => {
    expect(table.list()).toContainEqual({ url: '/v1/things', methods: ['GET', 'POST'] });
  });
});
