/**
 * This machine's maximum of the hashes that a login needs: plain argon2id, in as many threads as there are cores, and nothing
 * else. Parameters: src/modules/users/password-hash.ts.
 */
import { argon2Sync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { json } from 'node:stream/consumers';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

interface Done {
  hashes: number;
  seconds: number;
}

if (isMainThread) {
  const threads = Array.from({ length: availableParallelism() }, () => new Worker(new URL(import.meta.url)));
  const run = async (thread: Worker, seconds: number): Promise<Done> => {
    const done = once(thread, 'message') as Promise<[Done]>;
    thread.postMessage(seconds);
    return (await done)[0];
  };
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.method === 'GET') return void response.end();
      const { seconds } = (await json(request)) as { seconds: number };
      const all = await Promise.all(threads.map((thread) => run(thread, seconds)));
      const perSecond = all.reduce((sum, done) => sum + done.hashes / done.seconds, 0);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ perSecond }));
    };
    answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(Number(process.env.PORT), '127.0.0.1');
  process.once('SIGTERM', () => process.exit(0));
} else {
  const message = Buffer.from('correct horse battery staple');
  parentPort?.on('message', (seconds: number) => {
    const started = performance.now();
    let hashes = 0;
    while (performance.now() - started < seconds * 1000) {
      const nonce = randomBytes(16);
      argon2Sync('argon2id', { message, nonce, memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 });
      hashes += 1;
    }
    parentPort?.postMessage({ hashes, seconds: (performance.now() - started) / 1000 });
  });
}
