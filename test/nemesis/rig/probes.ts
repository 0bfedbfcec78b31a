import { request } from 'node:http';
import type { Probed, RigProcess } from '../rig.ts';

const EVERY_MS = 250;
const WITHIN_MS = 5_000;

/** Asks each process whether it is live and ready, all the time, on fresh connections like a kubelet. */
export class Probes {
  readonly answers: Probed[] = [];
  private readonly startedAt = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor(processes: readonly RigProcess[]) {
    this.timer = setInterval(() => {
      for (const process of processes) {
        void this.ask(process, '/health/live');
        void this.ask(process, '/health/ready');
      }
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async ask(process: RigProcess, path: Probed['path']): Promise<void> {
    const at = performance.now() - this.startedAt;
    const before = process.isDown;
    const answer = await answerOf(process.managementUrl + path);
    const tookMs = performance.now() - this.startedAt - at;
    this.answers.push({
      process: process.name,
      path,
      at,
      tookMs,
      ...answer,
      excused: before || process.isDown,
    });
  }
}

function answerOf(url: string): Promise<Pick<Probed, 'status' | 'says'>> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, timeout: WITHIN_MS }, (response) => {
      const { statusCode: status = 0 } = response;
      let says = '';
      response.setEncoding('utf8').on('data', (text: string) => (says += text));
      response.once('end', () => resolve({ status, ...(status !== 200 && { says }) }));
      response.once('error', () => resolve({ status: 0 }));
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.once('error', () => resolve({ status: 0 }));
    asked.end();
  });
}
