import ts from 'typescript';
import { lineOf, walk, type Rule, type SourceFile, type Violation } from '../project.js';

/** Classes of BullMQ that open a connection to the queues when they are made. */
const CONNECTS = new Set([
  'Queue',
  'Worker',
  'FlowProducer',
  'QueueEvents',
  'QueueEventsProducer',
  'JobScheduler',
]);

/**
 * Only `platform/messaging` connects to queues. A job that is enqueued past the outbox outruns its commit, or misses it; a worker that is made
 * by hand is neither drained nor counted.
 */
export const noDirectEnqueue: Rule = {
  name: 'no-direct-enqueue',
  check: ({ sources }) =>
    sources.filter(({ path }) => !path.startsWith('src/platform/messaging/')).flatMap(connectionsOf),
};

function connectionsOf({ path, ast, imports }: SourceFile): Violation[] {
  const names = imports.filter(({ specifier }) => specifier === 'bullmq').flatMap((taken) => taken.names);
  const found: Violation[] = [];
  walk(ast, (node) => {
    if (!ts.isNewExpression(node)) return;
    const name = ts.isPropertyAccessExpression(node.expression)
      ? node.expression.name.text
      : node.expression.getText(ast);
    if (!CONNECTS.has(name) || !(names.includes(name) || names.includes('*'))) return;
    found.push({
      path,
      line: lineOf(node),
      what: `makes a ${name} of BullMQ`,
      remedy:
        'Register the queue with BullModule.registerQueue, add jobs by @InjectQueue, run them in a class with @Processor',
    });
  });
  return found;
}
