/**
 * The load generator's own thread: other work of a scenario (starting processes, queries) does not make it late. Takes
 * `ThreadRequest`s and answers with `ThreadReport`s.
 */
import { parentPort } from 'node:worker_threads';
import type { LiveFigures, LoadPlan, StreamData } from './plan.ts';
import { Stream } from './stream.ts';

export type ThreadRequest = { op: 'start'; id: number; plan: LoadPlan } | { op: 'stop'; id: number };

export type ThreadReport =
  { op: 'figures'; id: number; figures: LiveFigures[] } | { op: 'done'; id: number; streams: StreamData[] };

const LOOK_EVERY_MS = 250;
const port = parentPort!;
const running = new Map<number, Stream[]>();

port.on('message', (request: ThreadRequest) => {
  if (request.op === 'start') void run(request.id, request.plan);
  else for (const stream of running.get(request.id) ?? []) stream.stop();
});

async function run(id: number, plan: LoadPlan): Promise<void> {
  const streams = plan.streams.map((stream) => new Stream(stream));
  running.set(id, streams);
  for (const stream of streams) stream.start();
  const look = setInterval(() => {
    report({ op: 'figures', id, figures: streams.map(({ recorder }) => recorder.look()) });
  }, LOOK_EVERY_MS);
  await Promise.all(streams.map(({ finished }) => finished));
  clearInterval(look);
  running.delete(id);
  report({ op: 'done', id, streams: streams.map(({ recorder }) => recorder.data()) });
}

function report(message: ThreadReport): void {
  port.postMessage(message);
}
