import { setTimeout as delay } from 'node:timers/promises';
import { constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import pino from 'pino';

/** Where a process writes its log: never waits for the reader, never holds more than it may. */
export interface LogOutlet {
  write(line: string): void;
  /** Resolves when all is written, or after `withinMs`. */
  flush(withinMs: number): Promise<void>;
}

/** Bytes of log lines that are written at once; what is less waits `WAIT_AT_MOST_MS`. */
const AT_ONCE_BYTES = 12 * 1024;
const WAIT_AT_MOST_MS = 100;
/** What may wait for a reader that has stalled; further lines are dropped and counted. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;

/**
 * The log on a file descriptor.
 *
 * A container's standard output is a pipe, and its reader may stall (a full disk under the container runtime, a paused terminal). A
 * blocking write then holds a thread of libuv's pool, and `process.exit` waits for that thread: such a process ignored SIGTERM and its
 * own time limit. So pipes and sockets are written to without blocking, by the event loop.
 * @param onDrop called for each line that is dropped
 * @param onRecovered called when the reader has caught up, with the number of lines that it misses
 */
export function openLogOutlet(
  fd: number,
  onDrop: () => void,
  onRecovered: (lines: number) => void,
): LogOutlet {
  const kind = fstatSync(fd);
  return kind.isFIFO() || kind.isSocket()
    ? new SocketOutlet(nonBlocking(fd), onDrop, onRecovered)
    : fileOutlet(fd, onDrop);
}

class SocketOutlet implements LogOutlet {
  private readonly socket: Socket;
  private waiting = '';
  private timer?: NodeJS.Timeout;
  private missed = 0;

  constructor(
    fd: number,
    private readonly onDrop: () => void,
    private readonly onRecovered: (lines: number) => void,
  ) {
    this.socket = new Socket({ fd, readable: false, writable: true });
    // The reader has gone: there is nobody left to tell.
    this.socket.on('error', () => undefined);
    this.socket.on('drain', () => this.recovered());
    this.socket.unref();
  }

  write(line: string): void {
    if (this.socket.writableLength + this.waiting.length + line.length > MOST_WAITING_BYTES) {
      this.missed += 1;
      this.onDrop();
      return;
    }
    this.waiting += line;
    if (this.waiting.length >= AT_ONCE_BYTES) this.send();
    else this.timer ??= setTimeout(() => this.send(), WAIT_AT_MOST_MS).unref();
  }

  async flush(withinMs: number): Promise<void> {
    const { promise: written, resolve } = Promise.withResolvers<void>();
    this.send(resolve);
    await Promise.race([written, delay(withinMs)]);
  }

  private send(written?: () => void): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const text = this.waiting;
    this.waiting = '';
    // Calls back with an error, too, when the reader has gone.
    if (this.socket.writable) this.socket.write(text, () => written?.());
    else written?.();
  }

  private recovered(): void {
    if (this.missed === 0) return;
    const { missed } = this;
    this.missed = 0;
    this.onRecovered(missed);
  }
}

/** A file takes what is written to it; pino's own destination does that by another thread. */
function fileOutlet(fd: number, onDrop: () => void): LogOutlet {
  const file = pino.destination({
    dest: fd,
    sync: false,
    minLength: AT_ONCE_BYTES,
    periodicFlush: WAIT_AT_MOST_MS,
    maxLength: MOST_WAITING_BYTES,
  });
  file.on('drop', onDrop);
  return {
    write: (line) => file.write(line),
    flush: async (withinMs) => {
      const { promise: written, resolve } = Promise.withResolvers<void>();
      file.flush(() => resolve());
      await Promise.race([written, delay(withinMs)]);
    },
  };
}

/**
 * The same pipe, opened once more: whether writes block is a property of what `open` has made, which other processes share when they
 * have inherited it (a shell, `2>&1`). Where that cannot be opened (a socket, no /proc) it is the given one.
 */
function nonBlocking(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return fd;
  }
}
