import { Worker } from 'node:worker_threads';
import { LoadResult } from './load-result.ts';
import type { ThreadReport, ThreadRequest } from './load-thread.ts';
import type { LiveFigures, LoadPlan } from './plan.ts';

/** A load that runs in the generator's thread. */
export interface RunningLoad {
  /** The answers of the last quarter of a second, all streams together. */
  readonly live: LiveFigures;
  /** Sends nothing more, waits for outstanding answers and returns the result. */
  stop(): Promise<LoadResult>;
  /** Ends by itself when every stream of the plan has `once`. */
  finished: Promise<LoadResult>;
}

interface Running {
  live: LiveFigures;
  done: (result: LoadResult) => void;
}

/** The handle of the load generator; see `load-thread.ts`. */
export class LoadGenerator {
  private readonly worker: Worker;
  private readonly running = new Map<number, Running>();
  private ids = 0;

  constructor(onFailure: (error: unknown) => void) {
    this.worker = new Worker(new URL('load-thread.ts', import.meta.url));
    this.worker.on('error', onFailure);
    this.worker.on('message', (report: ThreadReport) => this.heard(report));
  }

  start(plan: LoadPlan): RunningLoad {
    this.ids += 1;
    const id = this.ids;
    const running: Running = {
      live: { sinceMs: 0, ok: 0, refused: 0, failed: 0, p99: 0 },
      done: () => undefined,
    };
    const finished = new Promise<LoadResult>((resolve) => {
      running.done = resolve;
    });
    this.running.set(id, running);
    this.tell({ op: 'start', id, plan });
    return {
      get live() {
        return running.live;
      },
      finished,
      stop: () => {
        this.tell({ op: 'stop', id });
        return finished;
      },
    };
  }

  /** Stops running loads, for a scenario that ended before its load did. */
  async stopAll(): Promise<void> {
    const ids = [...this.running.keys()];
    const ends = ids.map(
      (id) =>
        new Promise<void>((resolve) => {
          const running = this.running.get(id)!;
          const { done } = running;
          running.done = (result) => {
            done(result);
            resolve();
          };
        }),
    );
    for (const id of ids) this.tell({ op: 'stop', id });
    await Promise.all(ends);
  }

  /** Figures of all running loads, per second. */
  get live():
    { okPerSecond: number; refusedPerSecond: number; failedPerSecond: number; p99: number } | undefined {
    if (this.running.size === 0) return undefined;
    const all = [...this.running.values()].map(({ live }) => live);
    const rate = (of: (figures: LiveFigures) => number): number =>
      all.reduce(
        (sum, figures) => sum + (figures.sinceMs > 0 ? (of(figures) * 1_000) / figures.sinceMs : 0),
        0,
      );
    return {
      okPerSecond: rate(({ ok }) => ok),
      refusedPerSecond: rate(({ refused }) => refused),
      failedPerSecond: rate(({ failed }) => failed),
      p99: Math.max(...all.map(({ p99 }) => p99)),
    };
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private heard(report: ThreadReport): void {
    const running = this.running.get(report.id);
    if (!running) return;
    if (report.op === 'figures') {
      running.live = together(report.figures);
    } else {
      this.running.delete(report.id);
      running.done(new LoadResult(report.streams));
    }
  }

  private tell(request: ThreadRequest): void {
    this.worker.postMessage(request);
  }
}

function together(figures: LiveFigures[]): LiveFigures {
  return {
    sinceMs: figures[0]?.sinceMs ?? 0,
    ok: figures.reduce((sum, { ok }) => sum + ok, 0),
    refused: figures.reduce((sum, { refused }) => sum + refused, 0),
    failed: figures.reduce((sum, { failed }) => sum + failed, 0),
    p99: Math.max(...figures.map(({ p99 }) => p99)),
  };
}
