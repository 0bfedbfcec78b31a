import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { GzipWriter } from './gzip-writer.js';

describe('The gzip writer', () => {
  async function write(pieces: string[]): Promise<Buffer> {
    const writer = new GzipWriter();
    const written: Uint8Array[] = [];
    for (const piece of pieces) written.push(await writer.piece(piece));
    written.push(await writer.end());
    writer.close();
    return Buffer.concat(written);
  }

  it.each([
    ['one piece', ['hello\r\n']],
    ['an empty text', ['']],
    ['many pieces', ['a,b\r\n', 'ü,😀\r\n'.repeat(10_000), '', 'z'.repeat(70_000)]],
  ])('writes one gzip member of %s', async (_, pieces) => {
    const file = await write(pieces);

    // Checks CRC and length, and that nothing follows the first member.
    expect(gunzipSync(file, { maxOutputLength: 1e6 }).toString('utf8')).toBe(pieces.join(''));
    expect(file.subarray(0, 3)).toEqual(Buffer.from([0x1f, 0x8b, 8]));
    expect(file.readUInt32LE(file.length - 4)).toBe(Buffer.byteLength(pieces.join('')));
  });
});
