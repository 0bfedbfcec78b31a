import { constants, createGzip } from 'node:zlib';

/**
 * Makes one gzip file from pieces of text, compressed one by one and off the event loop (libuv's threads): memory does not grow
 * with the file. (Concatenated members would be valid gzip as well, but HTTP clients stop after the first one.)
 *
 * One engine for all pieces: the handles of engines outlive scavenges, each with the buffers that it last used.
 */
export class GzipWriter {
  private readonly engine = createGzip({ chunkSize: 64 * 1024 });
  private compressed: Buffer[] = [];

  constructor() {
    this.engine.on('data', (data: Buffer) => this.compressed.push(data));
  }

  /** The compressed bytes of the next piece of text. Call it for one piece after the other. */
  piece(text: string): Promise<Uint8Array> {
    this.engine.write(text);
    // Ends the piece on a byte boundary, without ending the stream.
    return this.taken((done) => this.engine.flush(constants.Z_SYNC_FLUSH, done));
  }

  /** The last bytes of the file. */
  end(): Promise<Uint8Array> {
    return this.taken((done) => this.engine.once('end', done).end());
  }

  /** Frees the engine; call it in any case, when the file is finished or abandoned. */
  close(): void {
    this.engine.destroy();
  }

  private async taken(step: (done: () => void) => void): Promise<Uint8Array> {
    await new Promise<void>((resolve, reject) => {
      this.engine.once('error', reject);
      step(() => {
        this.engine.off('error', reject);
        resolve();
      });
    });
    const { compressed } = this;
    this.compressed = [];
    return Buffer.concat(compressed);
  }
}
