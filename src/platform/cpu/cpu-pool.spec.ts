import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadSettings } from '../../config/index.js';
import { ABANDONED, RequestContext } from '../context/index.js';
import { TransientError } from '../errors/index.js';
import { CpuPool, cpuTask, type CpuTask } from './index.js';

/** A task module that needs no file: Node imports it from the URL itself. */
function moduleOf(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

const double: CpuTask<number, number> = {
  module: moduleOf('export const double = (n) => 2 * n;'),
  name: 'double',
};
const spin: CpuTask<number, string> = {
  module: moduleOf(
    'export const spin = (ms) => { const end = Date.now() + ms; while (Date.now() < end); return "spun"; };',
  ),
  name: 'spin',
};
/** Occupies its thread until the first element of the array is set and notified. */
const hold: CpuTask<Int32Array, string> = {
  module: moduleOf('export const hold = (gate) => { Atomics.wait(gate, 0, 0); return "released"; };'),
  name: 'hold',
};
/** Adds one to the first element of the array. */
const count: CpuTask<Int32Array, number> = {
  module: moduleOf('export const count = (runs) => Atomics.add(runs, 0, 1);'),
  name: 'count',
};
const fail: CpuTask<null, never> = {
  module: moduleOf('export const fail = () => { throw new RangeError("out of range"); };'),
  name: 'fail',
};

describe('CpuPool', () => {
  let pool: CpuPool;

  function open(threads: number): CpuPool {
    pool = new CpuPool(loadSettings({ CPU_THREADS: String(threads) }));
    return pool;
  }

  afterEach(async () => {
    await pool.onApplicationShutdown();
  });

  it('runs a task of a module in a thread and returns its result', async () => {
    expect(await open(1).run(double, 21)).toBe(42);
  });

  it('passes on what a task throws, and continues', async () => {
    open(1);
    await expect(pool.run(fail, null)).rejects.toThrow('out of range');
    expect(await pool.run(double, 2)).toBe(4);
  });

  it('reports which export a module lacks', async () => {
    await expect(open(1).run({ ...double, name: 'triple' }, 1)).rejects.toThrow('has no export triple');
  });

  it('leaves the event loop free while all its threads compute', async () => {
    open(1);
    await pool.run(double, 1);
    const gate = new Int32Array(new SharedArrayBuffer(4));
    let turns = 0;
    // A blocked loop would never turn, and the task would never end.
    const timer = setInterval(() => {
      turns += 1;
      if (turns < 3) return;
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
    }, 5);
    expect(await pool.run(hold, gate)).toBe('released');
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  it.runIf(process.platform === 'linux')('gives its threads, and only them, a low priority', async () => {
    const before = niceValues();
    await open(1).run(double, 1);
    const lowered = niceValues().filter(
      ({ id }) => !before.some((thread) => thread.id === id && thread.nice !== 0),
    );
    expect(lowered.filter(({ nice }) => nice === 14)).toHaveLength(1);
    expect(niceValues().find(({ id }) => id === String(process.pid))?.nice).toBe(before[0]?.nice);
  });

  it('rejects with 503 `busy` what would wait too long, before it costs anything', async () => {
    open(1);
    const running = pool.run(spin, 300);
    const waiting = Array.from({ length: 64 }, () => pool.run(double, 1));
    await expect(pool.run(double, 1)).rejects.toMatchObject({
      status: 503,
      code: 'busy',
      headers: { 'Retry-After': '2' },
    });
    expect(await running).toBe('spun');
    expect(await Promise.all(waiting)).toEqual(Array(64).fill(2));
  });

  it('runs urgent tasks before earlier background tasks, and has room for them with any number of those', async () => {
    open(1);
    const running = pool.run(spin, 200);
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const background = Array.from({ length: 60 }, () =>
      pool
        .run(double, 1, { background: true })
        .then(note('background'), (error: TransientError) => error.code),
    );
    await pool.run(double, 1).then(note('urgent'));
    // One waits in the thread itself and can no longer be overtaken. By the time that this test goes on others may have ended as well.
    expect(order.indexOf('urgent')).toBeLessThanOrEqual(1);
    const refused = (await Promise.all(background)).filter((outcome) => outcome === 'busy');
    expect(refused.length).toBeGreaterThan(40);
    expect(await running).toBe('spun');
  });

  it('does not start a task whose client has left, wherever it waits', async () => {
    open(1);
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const ran = new Int32Array(new SharedArrayBuffer(4));
    const running = pool.run(hold, gate);
    const request = new RequestContext('a-request', 60_000);
    // The first of them waits in the thread itself, the others in the queue.
    const waiting = [1, 2, 3].map(() => request.run(() => pool.run(count, ran)));
    request.abort('The client has disconnected.');
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes).toEqual(
      [1, 2, 3].map(() => ({
        status: 'rejected',
        reason: expect.objectContaining({ code: ABANDONED }) as Error,
      })),
    );
    expect(Atomics.load(ran, 0)).toBe(0);
    expect(await running).toBe('released');
  });

  it('does not start a task whose request is past its deadline', async () => {
    open(1);
    const running = pool.run(spin, 100);
    const late = new RequestContext('a-request', 20).run(() => pool.run(double, 1));
    await expect(late).rejects.toBeInstanceOf(TransientError);
    await running;
  });

  it('starts a task in time also when the clock is set back meanwhile', async () => {
    open(1);
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      vi.setSystemTime(Date.now() - 24 * 3_600_000);
      expect(await new RequestContext('a-request', 60_000).run(() => pool.run(double, 21))).toBe(42);
    } finally {
      vi.useRealTimers();
    }
  });

  it('reports how many tasks wait', async () => {
    open(1);
    const running = pool.run(spin, 50);
    const waiting = pool.run(double, 1);
    expect(pool.waiting).toBeGreaterThanOrEqual(1);
    await Promise.all([running, waiting]);
    expect(pool.waiting).toBe(0);
  });
});

describe('cpuTask', () => {
  it('names the compiled module in production and the source elsewhere', () => {
    expect(cpuTask('file:///app/dist/users/a.js', './b.task', 'b').module).toBe(
      'file:///app/dist/users/b.task.js',
    );
    expect(cpuTask('file:///app/src/users/a.ts', './b.task', 'b').module).toBe(
      'file:///app/src/users/b.task.ts',
    );
  });
});

/** Nice value of each thread of this process: field 19 of /proc/[pid]/task/[tid]/stat, see proc_pid_stat(5). */
function niceValues(): { id: string; nice: number }[] {
  return readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { id, nice: Number(fields[16]) };
  });
}
