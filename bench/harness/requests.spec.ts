import { describe, expect, it } from 'vitest';
import { toWire } from './requests.ts';

describe('a request on the wire', () => {
  it('has its token and its host', () => {
    const headers = { Authorization: 'Bearer t' };
    const text = toWire({ method: 'GET', path: '/v1/things', headers }, 'http://127.0.0.1:3000');
    expect(text).toBe('GET /v1/things HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nAuthorization: Bearer t\r\n\r\n');
  });

  it('has the length of its body in bytes, and room for its own key', () => {
    const request = {
      method: 'POST' as const,
      path: '/',
      body: { name: 'ü' },
      idempotencyKey: true as const,
    };
    const bytes = Buffer.from(toWire(request, 'http://127.0.0.1:3000'), 'latin1');
    const end = '\r\nContent-Length: 13\r\nIdempotency-Key: \u0001\r\n\r\n{"name":"ü"}';
    expect(bytes.toString().slice(-end.length)).toBe(end);
  });
});
