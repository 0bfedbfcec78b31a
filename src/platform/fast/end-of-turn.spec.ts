import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { atEndOfTurn } from './end-of-turn.js';

describe('work at the end of a turn', () => {
  it('is done after the current work, in order', async () => {
    const done: string[] = [];
    for (const name of ['a', 'b', 'c']) atEndOfTurn(() => done.push(name));
    await Promise.resolve();
    expect(done).toEqual([]);
    await nextTurn();
    expect(done).toEqual(['a', 'b', 'c']);
  });

  it('may defer more, which is done in the next turn', async () => {
    const done: string[] = [];
    atEndOfTurn(() => {
      done.push('a');
      atEndOfTurn(() => done.push('b'));
    });
    await nextTurn();
    expect(done).toEqual(['a']);
    await nextTurn();
    expect(done).toEqual(['a', 'b']);
  });

  it('waits for no more than 31 others', async () => {
    const done: number[] = [];
    for (let n = 1; n <= 40; n += 1) atEndOfTurn(() => done.push(n));
    expect(done).toHaveLength(32);
    await nextTurn();
    expect(done).toHaveLength(40);
  });

  it('is done although another fails, which is an uncaught exception', async () => {
    const done: string[] = [];
    const { promise: uncaught, resolve } = Promise.withResolvers<unknown>();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').once('uncaughtException', resolve);
    try {
      atEndOfTurn(() => {
        throw new Error('broken');
      });
      atEndOfTurn(() => done.push('b'));
      expect(await uncaught).toEqual(new Error('broken'));
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
    expect(done).toEqual(['b']);
  });
});
