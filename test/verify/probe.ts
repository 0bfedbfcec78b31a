import { request } from 'node:http';
import { now } from './load/recorder.ts';

export interface Probed {
  at: number;
  /** 0 when there was no answer. */
  status: number;
  tookMs: number;
}

/** Probes one address repeatedly, on a fresh connection each time like a kubelet, and keeps the answers. */
export class Probe {
  readonly answers: Probed[] = [];
  private readonly url: string;
  private readonly timer: NodeJS.Timeout;

  constructor(url: string, { everyMs = 100 }: { everyMs?: number } = {}) {
    this.url = url;
    this.timer = setInterval(() => void this.ask(), everyMs);
  }

  stop(): Probed[] {
    clearInterval(this.timer);
    return this.answers;
  }

  get slowestMs(): number {
    return this.answers.reduce((slowest, { tookMs }) => Math.max(slowest, tookMs), 0);
  }

  /** The moment at which an answer other than 200 first came. */
  get firstUnwell(): number | undefined {
    const unwell = this.answers.filter(({ status }) => status !== 200).map(({ at, tookMs }) => at + tookMs);
    return unwell.length > 0 ? Math.min(...unwell) : undefined;
  }

  count(of: (answer: Probed) => boolean): number {
    return this.answers.filter(of).length;
  }

  private ask(): Promise<void> {
    const at = now();
    return new Promise((resolve) => {
      const done = (status: number): void => {
        this.answers.push({ at, status, tookMs: now() - at });
        resolve();
      };
      const asked = request(this.url, { agent: false, timeout: 5_000 }, (response) => {
        response.resume();
        response.once('end', () => done(response.statusCode ?? 0));
        response.once('error', () => done(0));
      });
      asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
      asked.once('error', () => done(0));
      asked.end();
    });
  }
}

/** The value of a sample in a Prometheus exposition; undefined when it does not exist. @param labels as `name="value"` */
export function sampleOf(exposition: string, metric: string, labels: string): number | undefined {
  const line = exposition.split('\n').find((text) => text.startsWith(`${metric}{`) && text.includes(labels));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
}
