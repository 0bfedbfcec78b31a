import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface ThreadRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
}

export interface ThreadAnswer {
  status: number;
  text: string;
}

/** An HTTP client in a thread of its own, so that the CPU time of this thread is the server's alone. */
export interface ThreadClient {
  send(request: ThreadRequest): Promise<ThreadAnswer>;
  stop(): Promise<void>;
}

const CLIENT = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', async ({ url, method, headers, body }) => {
    try {
      const response = await fetch(url, { method, headers, body });
      parentPort.postMessage({ status: response.status, text: await response.text() });
    } catch (error) {
      parentPort.postMessage({ status: 0, text: String(error.cause ?? error) });
    }
  });`;

export function startThreadClient(): ThreadClient {
  const worker = new Worker(CLIENT, { eval: true });
  return {
    async send(request) {
      const answered = once(worker, 'message');
      worker.postMessage(request);
      return ((await answered) as [ThreadAnswer])[0];
    },
    stop: async () => void (await worker.terminate()),
  };
}
