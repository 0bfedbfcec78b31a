import { describe, expect, it } from 'vitest';
import runTask, { steadyMs } from './cpu-thread.js';

/** Counts how often it is loaded, to show that it is once. */
const module = `data:text/javascript,${encodeURIComponent(
  'globalThis.loads = (globalThis.loads ?? 0) + 1; export const add = async ([a, b]) => a + b; export const loads = () => globalThis.loads;',
)}`;
const never = Infinity;
const cancelled = new Int32Array(new SharedArrayBuffer(4));

describe('what a thread does with a task', () => {
  it('loads the module once and calls the export', async () => {
    expect(await runTask({ module, name: 'add', input: [1, 2], deadline: never, cancelled })).toEqual({
      done: true,
      output: 3,
    });
    expect(await runTask({ module, name: 'loads', input: null, deadline: never, cancelled })).toEqual({
      done: true,
      output: 1,
    });
  });

  it('skips a task whose deadline has passed', async () => {
    expect(
      await runTask({ module, name: 'add', input: [1, 2], deadline: steadyMs() - 1, cancelled }),
    ).toEqual({
      done: false,
    });
  });

  it('skips a task whose client has disconnected', async () => {
    const task = { module, name: 'add', input: [1, 2], deadline: never, cancelled: Int32Array.of(1) };
    expect(await runTask(task)).toEqual({ done: false });
  });

  it('reports which export is missing', async () => {
    await expect(
      runTask({ module, name: 'subtract', input: [1, 2], deadline: never, cancelled }),
    ).rejects.toThrow('subtract');
  });
});
