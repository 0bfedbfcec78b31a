import { getNextMillis } from 'bullmq';
import type { FoundTopology } from './declarations.js';

/** The process must not start: events would be lost or handled twice. */
export class TopologyError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `Events and handlers do not match; events would be lost or handled twice:\n${problems
        .map((problem) => `  - ${problem}`)
        .join('\n')}`,
    );
    this.name = 'TopologyError';
  }
}

/** Letters, digits, dots and dashes: names become Redis keys and metric labels, and BullMQ rejects colons. */
const NAME = /^[a-z][a-z0-9.-]*$/;
/** Pasted code may also use `sendMail` and `send_mail`. */
const PLAIN_NAME = /^[\w.-]+$/;

/** Problems of events and plain queues by themselves; the api checks only these, because it has all of them and handles none. */
export function publicProblems(topology: FoundTopology): string[] {
  return [...topology.refused, ...eventProblems(topology), ...plainQueueProblems(topology)];
}

/**
 * Problems of a process's workers.
 * @param made the queue of each worker that was made
 */
export function workerProblems(
  plain: readonly string[],
  ours: readonly string[],
  made: readonly string[],
): string[] {
  const problems: string[] = [];
  for (const queue of plain) {
    if (!made.includes(queue))
      problems.push(
        `queue ${queue} has no processor; provide a class with @Processor('${queue}') that extends WorkerHost`,
      );
  }
  for (const [queue, count] of counted(made)) {
    if (count > 1) problems.push(`queue ${queue} has ${count} processors; keep one`);
    if (!plain.includes(queue) && !ours.includes(queue))
      problems.push(
        `a @Processor serves the queue ${queue}, which no feature registers; import BullModule.registerQueue({ name: '${queue}' })`,
      );
  }
  return problems;
}

function plainQueueProblems({ queues, plainQueues }: FoundTopology): string[] {
  const problems: string[] = [];
  for (const queue of plainQueues) {
    if (queues.includes(queue))
      problems.push(
        `queue ${queue} is declared for events and registered with BullModule.registerQueue; give one another name`,
      );
    if (!PLAIN_NAME.test(queue))
      problems.push(`queue ${queue} must be named in letters, digits, dots, dashes and underscores only`);
  }
  return problems;
}

function eventProblems({ events }: FoundTopology): string[] {
  const problems: string[] = [];
  for (const [name, count] of counted(events.map((event) => event.name))) {
    if (count > 1) {
      problems.push(
        `event ${name} is declared ${count} times; define it once and list it in one MessagingModule.forFeature`,
      );
    }
    if (!NAME.test(name))
      problems.push(`event ${name} must be named in lower case, with dots and dashes only`);
  }
  for (const { name, consumers } of events) {
    if (consumers.length === 0) {
      problems.push(`event ${name} has no consumer; name the queues that handle it, or do not announce it`);
    }
    for (const [consumer, count] of counted(consumers)) {
      if (count > 1)
        problems.push(`event ${name} names its consumer ${consumer} ${count} times; name it once`);
    }
  }
  return problems;
}

/** Every way in which events, queues, handlers and schedules of a worker do not fit together, each with its remedy. */
export function topologyProblems(topology: FoundTopology): string[] {
  return [
    ...publicProblems(topology),
    ...queueProblems(topology),
    ...handlerProblems(topology),
    ...scheduleProblems(topology),
  ];
}

function queueProblems({ events, queues, processors }: FoundTopology): string[] {
  const problems: string[] = [];
  for (const [queue, count] of counted(queues)) {
    if (count > 1) problems.push(`queue ${queue} is declared ${count} times; one feature owns a queue`);
    if (!NAME.test(queue))
      problems.push(`queue ${queue} must be named in lower case, with dots and dashes only`);
    const serving = processors
      .filter((processor) => processor.queue === queue)
      .map(({ className }) => className);
    if (serving.length === 0) {
      problems.push(
        `queue ${queue} has no processor; provide a class with @EventProcessor('${queue}') in its feature`,
      );
    }
    if (serving.length > 1)
      problems.push(`queue ${queue} has ${serving.length} processors: ${serving.join(', ')}; keep one`);
  }
  for (const { name, consumers } of events) {
    for (const consumer of new Set(consumers)) {
      if (queues.includes(consumer)) continue;
      problems.push(
        `event ${name} names the consumer ${consumer}, but no feature declares that queue; ` +
          `list it in MessagingModule.forFeature({ queues: ['${consumer}'] })`,
      );
    }
  }
  return problems;
}

function handlerProblems({ events, queues, processors }: FoundTopology): string[] {
  const problems: string[] = [];
  for (const { className, queue, isConsumer, isStatic, handlers } of processors) {
    if (!queues.includes(queue)) {
      problems.push(
        `${className} serves the queue ${queue}, which no feature declares; list it in MessagingModule.forFeature`,
      );
    }
    if (!isConsumer) problems.push(`${className} must extend EventConsumer`);
    if (!isStatic) problems.push(`${className} must not be request-scoped; there is no request in a worker`);
    for (const [name, count] of counted(handlers.map(({ event }) => event.name))) {
      const methods = handlers.filter(({ event }) => event.name === name).map(({ method }) => method);
      if (count > 1)
        problems.push(`${className} handles ${name} ${count} times (${methods.join(', ')}); keep one`);
    }
    for (const { event, method, concurrency } of handlers) {
      if (concurrency !== undefined)
        problems.push(
          `${className}.${method} sets concurrency for ${event.name}, but it is the queue's; give ${event.name} its own queue, whose @EventProcessor sets it`,
        );
      const declared = events.find(({ name }) => name === event.name);
      if (!declared) {
        problems.push(
          `${className}.${method} handles ${event.name}, which no feature declares; list it in MessagingModule.forFeature`,
        );
      } else if (!declared.consumers.includes(queue)) {
        problems.push(
          `${className}.${method} handles ${event.name}, whose consumers do not include ${queue}; add it in defineEvent`,
        );
      }
    }
    for (const { name, consumers } of events) {
      if (!consumers.includes(queue) || handlers.some(({ event }) => event.name === name)) continue;
      problems.push(
        `${className} has no handler for ${name}, although ${queue} is its consumer; add a method with @Handles`,
      );
    }
  }
  return problems;
}

function scheduleProblems({ queues, plainQueues, schedules, retiredSchedules }: FoundTopology): string[] {
  const problems: string[] = [];
  for (const [name, count] of counted(schedules.map((schedule) => schedule.name))) {
    const places = schedules.filter((schedule) => schedule.name === name).map(({ where }) => where);
    if (count > 1)
      problems.push(
        `the schedule ${name} is used ${count} times (${places.join(', ')}); give each its own name`,
      );
    if (!NAME.test(name))
      problems.push(`the schedule ${name} must be named in lower case, with dots and dashes only`);
  }
  for (const { where, name, queue, pattern, timeZone = 'UTC' } of schedules) {
    if (pattern !== undefined && !isCron(pattern, timeZone))
      problems.push(
        `the schedule ${name} (${where}) cannot be read: pattern '${pattern}', time zone '${timeZone}'; write '30 2 * * *' and 'Europe/Berlin'`,
      );
    if (!queues.includes(queue) && !plainQueues.includes(queue))
      problems.push(`the schedule ${name} (${where}) runs on the queue ${queue}, which no feature declares`);
    if (retiredSchedules.some((retired) => retired.name === name && retired.queue === queue))
      problems.push(
        `the schedule ${name} (${where}) is listed as retired; take it off that list or remove it`,
      );
  }
  return problems;
}

function isCron(pattern: string, tz: string): boolean {
  try {
    return pattern.trim() !== '' && getNextMillis(Date.now(), { pattern, tz }) !== undefined;
  } catch {
    return false;
  }
}

function counted(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts];
}
