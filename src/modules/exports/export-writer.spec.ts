import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { PRODUCT } from '../../product.js';
import { TransientError } from '../../platform/errors/index.js';
import { SupersededError, type ExportRun, type ExportRunsRepository } from './export-runs.repository.js';
import { ExportWriter } from './export-writer.js';
import type { Lines, OrderExport } from './order-export.js';

const run: ExportRun = { exportId: 'x', attempt: 1, userId: 'ada', allUsers: false, from: null, to: null };
/** A thousand lines that do not compress well, also when they are repeated (deflate looks 32 KiB back). */
const LINES = Array.from({ length: 1000 }, () => `${randomBytes(36).toString('base64')}\r\n`).join('');

function setup(batches: number) {
  const appended: { seq: number; data: Uint8Array; rows: number }[] = [];
  const source = { taken: 0, ended: false };
  async function* lines(): AsyncGenerator<Lines> {
    try {
      for (; source.taken < batches;) {
        source.taken += 1;
        yield await Promise.resolve({ text: LINES, rows: 1000 });
      }
    } finally {
      source.ended = true;
    }
  }
  const runs = {
    recordTotal: vi.fn(() => Promise.resolve()),
    append: vi.fn((_: ExportRun, seq: number, data: Uint8Array, rows: number) => {
      appended.push({ seq, data, rows });
      return Promise.resolve();
    }),
  };
  const orders = { heading: 'h\r\n', count: () => Promise.resolve(batches * 1000), lines };
  const writer = new ExportWriter(
    runs as unknown as ExportRunsRepository,
    orders as unknown as OrderExport,
    loadSettings({ EXPORT_ROWS_PER_SECOND: '10000000' }, PRODUCT),
  );
  return { writer, runs, appended, source };
}

const signal = () => new AbortController().signal;

describe('Writing an export', () => {
  it('writes numbered chunks of one gzip file, each with the rows so far', async () => {
    const { writer, runs, appended } = setup(40);
    const chunks = await writer.write(run, signal());

    expect(runs.recordTotal).toHaveBeenCalledExactlyOnceWith(run, 40_000);
    expect(chunks).toBeGreaterThan(3);
    expect(appended.map(({ seq }) => seq)).toEqual(Array.from({ length: chunks }, (_, seq) => seq));
    expect(appended.at(-1)?.rows).toBe(40_000);
    const file = gunzipSync(Buffer.concat(appended.map(({ data }) => data))).toString('utf8');
    expect(file).toBe(`h\r\n${LINES.repeat(40)}`);
  });

  it('has one chunk when there are no rows', async () => {
    const { writer, appended } = setup(0);

    expect(await writer.write(run, signal())).toBe(1);
    expect(gunzipSync(appended[0]?.data ?? Buffer.alloc(0)).toString()).toBe('h\r\n');
  });

  it('fetches no further rows while a chunk is being written', async () => {
    const { writer, runs, source } = setup(40);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    runs.append.mockImplementationOnce(() => {
      reach();
      return gate;
    });
    const writing = writer.write(run, signal());
    await reached;
    const taken = source.taken;
    await new Promise((resolve) => setImmediate(resolve));
    expect(source.taken).toBe(taken);
    expect(taken).toBeLessThan(15);

    open();
    await writing;
  });

  it('stops at the next batch when the process shuts down, and releases the rows', async () => {
    const { writer, runs, source } = setup(40);
    const controller = new AbortController();
    runs.append.mockImplementationOnce(() => {
      controller.abort();
      return Promise.resolve();
    });

    await expect(writer.write(run, controller.signal)).rejects.toThrow(TransientError);
    expect(runs.append).toHaveBeenCalledOnce();
    expect(source.ended).toBe(true);
  });

  it('stops when another run has taken over, and releases the rows', async () => {
    const { writer, runs, source } = setup(40);
    runs.append.mockRejectedValueOnce(new SupersededError(run));

    await expect(writer.write(run, signal())).rejects.toThrow(SupersededError);
    expect(source.ended).toBe(true);
  });
});
