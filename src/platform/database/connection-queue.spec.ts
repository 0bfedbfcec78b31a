import { EventEmitter } from 'node:events';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionQueue } from './connection-queue.js';

/** A pool of 10 connections with an acquisition timeout of 600 ms, and as many waiting requests as a test says. */
class Pool extends EventEmitter {
  readonly options = { max: 10, connectionTimeoutMillis: 600 };
  waitingCount = 0;

  serve(times: number): void {
    for (let i = 0; i < times; i += 1) this.emit('acquire');
  }
}

describe('ConnectionQueue', () => {
  let pool: Pool;
  let queue: ConnectionQueue;

  beforeEach(() => {
    vi.useFakeTimers();
    pool = new Pool();
    queue = new ConnectionQueue(pool as unknown as pg.Pool);
  });

  afterEach(() => vi.useRealTimers());

  function isFullAt(waiting: number): boolean {
    pool.waitingCount = waiting;
    return queue.load >= 1;
  }

  /** Serves so many per second for a second, during which there is always a waiting request. */
  function serveAt(perSecond: number): void {
    pool.waitingCount = 1;
    for (let i = 0; i < 5; i += 1) {
      pool.serve(perSecond / 4);
      vi.advanceTimersByTime(250);
      void queue.load;
    }
  }

  it('allows as many waiters as are served in half of their time limit', () => {
    serveAt(400);
    expect(isFullAt(119)).toBe(false);
    expect(isFullAt(120)).toBe(true);
  });

  it('allows few waiters for a database that does not answer, and a limited number for a fast one', () => {
    serveAt(0);
    expect(isFullAt(39)).toBe(false);
    expect(isFullAt(40)).toBe(true);
    serveAt(100_000);
    expect(isFullAt(199)).toBe(false);
    expect(isFullAt(200)).toBe(true);
  });

  it('does not mistake quiet times for a slow database', () => {
    pool.serve(2);
    vi.advanceTimersByTime(60_000);
    expect(isFullAt(100)).toBe(false);
  });

  it('is empty without waiters', () => {
    serveAt(0);
    pool.waitingCount = 0;
    expect(queue.load).toBe(0);
  });
});
