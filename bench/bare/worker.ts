/**
 * The reference worker: one BullMQ worker whose jobs are added directly, without an outbox, and whose handler commits the same
 * inbox row in the same transaction. No log, no metrics, no retries, no dead letters.
 */
import crypto from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Queue, Worker } from 'bullmq';
import pg from 'pg';

/** As in Holdfast (src/platform/messaging/inbox). */
const recordInbox = {
  name: 'record-inbox',
  text: 'INSERT INTO inbox (event_id, consumer) VALUES ($1, $2) ON CONFLICT DO NOTHING',
};

const { DATABASE_URL, REDIS_URL, PORT } = process.env;
const QUEUE = 'bare';
/** As in Holdfast: WORKER_CONCURRENCY, OUTBOX_BATCH_SIZE. */
const CONCURRENCY = 10;
const BATCH = 500;

const { hostname, port } = new URL(String(REDIS_URL));
const connection = { host: hostname, port: Number(port) };
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10, application_name: 'bare' });
const queue = new Queue(QUEUE, { connection, defaultJobOptions: { removeOnComplete: true } });

let handled = 0;
let wanted = Infinity;
let finish: (() => void) | undefined;

async function handle(eventId: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query({ ...recordInbox, values: [eventId, QUEUE] });
    await client.query('COMMIT');
  } finally {
    client.release();
  }
  handled += 1;
  if (handled === wanted) finish?.();
}

const worker = new Worker(QUEUE, (job) => handle(String(job.id)), { connection, concurrency: CONCURRENCY });
const report = (error: Error): void =>
  void process.stderr.write(`${error.stack}
`);
queue.on('error', report);
worker.on('error', report);

/** Adds so many jobs, as the outbox would have done, and waits until all of them are handled. */
async function run(events: number): Promise<void> {
  handled = 0;
  wanted = events;
  const done = new Promise<void>((resolve) => (finish = resolve));
  for (let first = 0; first < events; first += BATCH) {
    const jobs = Array.from({ length: Math.min(BATCH, events - first) }, (_, index) => ({
      name: 'bench.happened',
      data: { payload: { number: first + index }, key: null, occurredAt: Date.now(), requestId: null },
      opts: { jobId: crypto.randomUUIDv7() },
    }));
    await queue.addBulk(jobs);
  }
  await done;
}

const server = createServer((request, response) => {
  const answer = async (): Promise<void> => {
    if (request.method === 'GET') return void response.end();
    await run(((await json(request)) as { events: number }).events);
    response.setHeader('content-type', 'application/json').end('{}');
  };
  answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
});
await worker.waitUntilReady();
server.listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
