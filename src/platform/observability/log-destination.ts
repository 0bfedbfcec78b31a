import { constants, fstatSync, openSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { within } from '../runtime/index.js';

/** Where a process writes its log: never waits for the reader, and keeps a bounded number of bytes. */
export interface LogDestination {
  write(line: string): void;
  /** Resolves when all is written, or after `withinMs`. */
  flush(withinMs: number): Promise<void>;
}

/** Bytes of log lines that are written at once; fewer wait `WAIT_AT_MOST_MS`. */
const AT_ONCE_BYTES = 12 * 1024;
const WAIT_AT_MOST_MS = 100;
/** Bytes that may wait for a stalled reader; further lines are dropped and counted. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;
const NEW_LINE = 10;

const writeSome = promisify(write);

/**
 * The log on a file descriptor.
 *
 * A container's standard output is a pipe, and its reader may stall (a full disk under the container runtime, a paused terminal). A
 * blocking write then holds a thread of libuv's pool, and `process.exit` waits for that thread: such a process ignored SIGTERM and its
 * own time limit. So pipes and sockets are written to without blocking, by the event loop.
 * @param onDrop called for each line that is dropped
 * @param onRecovered called when the reader has caught up, with the number of lines that it missed
 */
export function openLogDestination(
  fd: number,
  onDrop: () => void,
  onRecovered: (lines: number) => void,
): LogDestination {
  const kind = fstatSync(fd);
  return kind.isFIFO() || kind.isSocket()
    ? new SocketDestination(nonBlocking(fd), onDrop, onRecovered)
    : new FileDestination(fd, onDrop, onRecovered);
}

abstract class StreamDestination implements LogDestination {
  private waiting = '';
  private timer?: NodeJS.Timeout;
  private missed = 0;

  constructor(
    private readonly stream: Writable,
    private readonly onDrop: () => void,
    private readonly onRecovered: (lines: number) => void,
  ) {}

  write(line: string): void {
    if (this.stream.writableLength + this.waiting.length + line.length > MOST_WAITING_BYTES) {
      this.drop();
      return;
    }
    this.waiting += line;
    if (this.waiting.length >= AT_ONCE_BYTES) this.send();
    else this.timer ??= setTimeout(() => this.send(), WAIT_AT_MOST_MS).unref();
  }

  async flush(withinMs: number): Promise<void> {
    const { promise: written, resolve } = Promise.withResolvers<void>();
    this.send(resolve);
    await within(withinMs, written).catch(() => undefined);
  }

  private send(written?: () => void): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const text = this.waiting;
    this.waiting = '';
    // Calls back with an error, too, when the reader has gone.
    if (this.stream.writable) this.stream.write(text, () => written?.());
    else written?.();
  }

  protected drop(): void {
    this.missed += 1;
    this.onDrop();
  }

  protected recovered(): void {
    if (this.missed === 0) return;
    const { missed } = this;
    this.missed = 0;
    this.onRecovered(missed);
  }
}

class SocketDestination extends StreamDestination {
  constructor(fd: number, onDrop: () => void, onRecovered: (lines: number) => void) {
    const socket = new Socket({ fd, readable: false, writable: true });
    super(socket, onDrop, onRecovered);
    // The reader has gone: no one is left to report to.
    socket.on('error', () => undefined);
    socket.on('drain', () => this.recovered());
    socket.unref();
  }
}

/**
 * A file or a terminal. Lines that cannot be written, on a full disk, are dropped and counted. pino's own destination emits an
 * error instead, which ends the process, and then tries for ever to write the rest on exit: such a process had to be killed.
 */
class FileDestination extends StreamDestination {
  constructor(fd: number, onDrop: () => void, onRecovered: (lines: number) => void) {
    const file = new Writable();
    super(file, onDrop, onRecovered);
    file._write = (text: Buffer, _encoding, taken) => {
      const lost = () => text.forEach((byte) => byte === NEW_LINE && this.drop());
      void writeAll(fd, text)
        .then(() => this.recovered(), lost)
        .finally(taken);
    };
  }
}

async function writeAll(fd: number, text: Buffer): Promise<void> {
  for (let done = 0; done < text.length;) {
    const { bytesWritten } = await writeSome(fd, text, done, text.length - done, null);
    done += bytesWritten;
  }
}

/**
 * The same pipe, opened once more: whether writes block is a property of the open file description, which other processes share
 * when they have inherited it (a shell, `2>&1`). Where that cannot be opened (a socket, no /proc) it is the given one.
 */
function nonBlocking(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd;
  }
}
