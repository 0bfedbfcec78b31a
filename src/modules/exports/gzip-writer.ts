import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

/** The flush ends a piece on a byte boundary without ending the stream. */
const OPTIONS = { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 64 * 1024 };

/** RFC 1952 section 2.3: magic number, deflate, no flags, no time, no extra flags, unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** An empty block that is marked as the last one (RFC 1951 section 3.2.6, fixed codes). */
const LAST_BLOCK = Uint8Array.of(3, 0);

/**
 * Makes one gzip file out of pieces of text that are compressed one by one, off the event loop (libuv's threads): nothing
 * but a checksum is carried from piece to piece, so that memory does not grow with the file. (Members simply strung
 * together would be valid gzip as well, but HTTP clients stop after the first one.)
 */
export class GzipWriter {
  private crc = 0;
  private size = 0;

  /** The first bytes of the file. */
  begin(): Uint8Array {
    return HEADER;
  }

  /** The bytes that the next piece of text becomes. To be called one after the other. */
  async piece(text: string): Promise<Uint8Array> {
    const bytes = Buffer.from(text, 'utf8');
    this.crc = crc32(bytes, this.crc);
    this.size += bytes.length;
    return deflate(bytes, OPTIONS);
  }

  /** The last bytes of the file: CRC-32 and length modulo 2^32, little end first (RFC 1952 section 2.3.1). */
  end(): Uint8Array {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.crc, 0);
    trailer.writeUInt32LE(this.size % 2 ** 32, 4);
    return Buffer.concat([LAST_BLOCK, trailer]);
  }
}
