import { describe, expect, it } from 'vitest';
import { toWire } from './requests.ts';

describe('a request on the wire', () => {
  it('has its token and its host', () => {
    const text = toWire({ method: 'GET', path: '/v1/things', token: 't' }, 'http://127.0.0.1:3000');
    expect(text).toBe('GET /v1/things HTTP/1.1\r\nhost: 127.0.0.1:3000\r\nauthorization: Bearer t\r\n\r\n');
  });

  it('says how long its body is, in bytes, and leaves room for a key of its own', () => {
    const request = { method: 'POST' as const, path: '/', body: { name: 'ü' }, keyed: true };
    const text = toWire(request, 'http://127.0.0.1:3000');
    expect(text).toContain('\r\nidempotency-key: \u0001\r\n');
    expect(text).toContain('\r\ncontent-length: 13\r\n\r\n{"name":"ü"}');
  });
});
