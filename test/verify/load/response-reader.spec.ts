import { describe, expect, it } from 'vitest';
import { headerOf, ResponseReader } from './response-reader.ts';

const counted = 'HTTP/1.1 201 Created\r\nLocation: /v1/things/7\r\nContent-Length: 5\r\n\r\nhello';
const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';

describe('ResponseReader', () => {
  it.each([
    ['an answer with a length', counted],
    ['an answer in chunks', chunked],
  ])('reads %s in any pieces', (_what, text) => {
    for (let cut = 1; cut < text.length; cut += 1) {
      const reader = new ResponseReader();
      expect(reader.push(Buffer.from(text.slice(0, cut)))).toBeUndefined();
      expect(reader.push(Buffer.from(text.slice(cut)))?.body.toString()).toBe('hello');
    }
  });

  it('reads one answer after another', () => {
    const reader = new ResponseReader();
    expect(reader.push(Buffer.from(counted))?.status).toBe(201);
    expect(reader.push(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'))?.status).toBe(204);
    expect(reader.push(Buffer.from(counted))?.status).toBe(201);
  });

  it('finds headers by name', () => {
    const answer = new ResponseReader().push(Buffer.from(counted));
    expect(headerOf(answer?.head ?? '', 'location')).toBe('/v1/things/7');
    expect(headerOf(answer?.head ?? '', 'content-length')).toBe('5');
    expect(headerOf(answer?.head ?? '', 'length')).toBeUndefined();
  });

  it('skips an interim answer', () => {
    const reader = new ResponseReader();
    expect(
      reader.push(Buffer.from(`HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n${counted}`))?.status,
    ).toBe(201);
  });

  it.each(['SSH-2.0-OpenSSH\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\nno length', `${counted}HTTP/1.1`])(
    'rejects what is not one HTTP answer: %j',
    (text) => {
      expect(() => new ResponseReader().push(Buffer.from(text))).toThrow();
    },
  );
});
