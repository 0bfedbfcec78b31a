import { constants, crc32, createDeflateRaw } from 'node:zlib';

/** RFC 1952 section 2.3: magic number, deflate, no flags, no time, no extra flags, unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** An empty block that is marked as the last one (RFC 1951 section 3.2.6, fixed codes). */
const LAST_BLOCK = Uint8Array.of(3, 0);

/**
 * Makes one gzip file out of pieces of text, compressed one by one and off the event loop (libuv's threads): memory does not grow
 * with the file. (Members simply strung together would be valid gzip as well, but HTTP clients stop after the first one.)
 *
 * One engine for all pieces: the handles of engines outlive scavenges, each with the buffers that it last used.
 */
export class GzipWriter {
  private readonly engine = createDeflateRaw({ chunkSize: 64 * 1024 });
  private compressed: Buffer[] = [];
  private crc = 0;
  private size = 0;

  constructor() {
    this.engine.on('data', (data: Buffer) => this.compressed.push(data));
  }

  /** The first bytes of the file. */
  begin(): Uint8Array {
    return HEADER;
  }

  /** The bytes that the next piece of text becomes. To be called one after the other. */
  async piece(text: string): Promise<Uint8Array> {
    const bytes = Buffer.from(text, 'utf8');
    this.crc = crc32(bytes, this.crc);
    this.size += bytes.length;
    await new Promise<void>((resolve, reject) => {
      this.engine.once('error', reject);
      this.engine.write(bytes);
      // Ends the piece on a byte boundary, without ending the stream.
      this.engine.flush(constants.Z_SYNC_FLUSH, () => {
        this.engine.off('error', reject);
        resolve();
      });
    });
    const { compressed } = this;
    this.compressed = [];
    return Buffer.concat(compressed);
  }

  /** The last bytes of the file: CRC-32 and length modulo 2^32, little end first (RFC 1952 section 2.3.1). */
  end(): Uint8Array {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.crc, 0);
    trailer.writeUInt32LE(this.size % 2 ** 32, 4);
    return Buffer.concat([LAST_BLOCK, trailer]);
  }

  /** Frees the engine; to be called in any case, when the file is made or given up. */
  close(): void {
    this.engine.destroy();
  }
}
