import { constants, crc32, deflateRawSync } from 'node:zlib';

/*
 * Runs in a thread of the pool (platform/cpu): imports packages only, erasable syntax only.
 */

export interface DeflateInput {
  text: string;
  /** CRC-32 of what came before. */
  crc: number;
}

export interface DeflateOutput {
  /** Compressed blocks, none of them marked as the last of the stream (RFC 1951 section 3.2.3). */
  data: Uint8Array;
  /** Bytes that went in. */
  size: number;
  /** CRC-32 of everything so far. */
  crc: number;
}

/** Compresses a piece of a longer text so that the pieces, one after another, are one deflate stream. */
export function deflatePiece({ text, crc }: DeflateInput): DeflateOutput {
  const bytes = Buffer.from(text, 'utf8');
  // The flush ends the piece on a byte boundary without ending the stream.
  const data = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  return { data, size: bytes.length, crc: crc32(bytes, crc) };
}
