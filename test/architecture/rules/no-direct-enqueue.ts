import type { Rule } from '../project.js';

const QUEUE_PACKAGES = new Set(['bullmq', '@nestjs/bullmq']);

/**
 * Only `platform/messaging` speaks to queues. A job that is enqueued by hand outruns its commit, or misses it: what has
 * to happen after a change is a row in the outbox, written in the same transaction.
 */
export const noDirectEnqueue: Rule = {
  name: 'no-direct-enqueue',
  check: ({ sources }) =>
    sources
      .filter(({ path }) => !path.startsWith('src/platform/messaging/'))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ specifier }) => QUEUE_PACKAGES.has(specifier))
          .map(({ line, specifier }) => ({
            path,
            line,
            what: `imports ${specifier}`,
            remedy:
              'Announce an event with Outbox.announce and handle it in an EventConsumer; queues belong to src/platform/messaging',
          })),
      ),
};
