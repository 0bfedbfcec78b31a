import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openLogDestination } from './log-destination.js';

const LINE = `${'x'.repeat(1023)}\n`;

describe('the destination of the log', () => {
  let folder: string;
  const open: number[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-destination-'));
  });
  afterEach(() => {
    for (const fd of open.splice(0)) closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  /** A pipe that is open at both ends, and is read when the test says so. */
  function pipe(): number {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    open.push(fd);
    return fd;
  }

  function readAll(fd: number): string {
    const piece = Buffer.alloc(1 << 20);
    let text = '';
    for (;;) {
      try {
        text += piece.toString('utf8', 0, readSync(fd, piece));
      } catch {
        return text;
      }
    }
  }

  it('writes every line, in order', async () => {
    const fd = pipe();
    const destination = openLogDestination(fd, vi.fn(), vi.fn());
    destination.write('first\n');
    destination.write('second\n');
    await destination.flush(20_000);
    expect(readAll(fd)).toBe('first\nsecond\n');
  });

  it('keeps a bounded amount for a stalled reader, counts what it drops, and reports it when the reader is back', async () => {
    const fd = pipe();
    const onDrop = vi.fn();
    const onRecovered = vi.fn();
    const destination = openLogDestination(fd, onDrop, onRecovered);
    const started = performance.now();
    for (let line = 0; line < 20_000; line += 1) destination.write(LINE);
    await destination.flush(100);
    // It gives the reader up: waiting for it would take for ever.
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(onDrop.mock.calls.length).toBeGreaterThan(11_000);
    expect(onDrop.mock.calls.length).toBeLessThan(13_000);

    let read = 0;
    await vi.waitFor(
      () => {
        read += readAll(fd).length;
        expect(onRecovered).toHaveBeenCalledOnce();
      },
      { timeout: 20_000, interval: 1 },
    );
    expect(onRecovered).toHaveBeenCalledWith(onDrop.mock.calls.length);
    expect(read + onDrop.mock.calls.length * LINE.length).toBe(20_000 * LINE.length);
  });

  it('writes to a file too', async () => {
    const path = join(folder, 'file.log');
    const fd = openSync(path, 'a');
    open.push(fd);
    const destination = openLogDestination(fd, vi.fn(), vi.fn());
    destination.write('a line\n');
    await destination.flush(20_000);
    expect(readFileSync(path, 'utf8')).toBe('a line\n');
  });

  it('drops and counts lines on a full disk, without an error', async () => {
    const fd = openSync('/dev/full', 'w');
    open.push(fd);
    const onDrop = vi.fn();
    const destination = openLogDestination(fd, onDrop, vi.fn());
    destination.write('a line\n');
    destination.write('another\n');
    await destination.flush(20_000);
    expect(onDrop).toHaveBeenCalledTimes(2);
    destination.write('a third\n');
    await destination.flush(20_000);
    expect(onDrop).toHaveBeenCalledTimes(3);
  });
});
