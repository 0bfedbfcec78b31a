import { describe, expect, it } from 'vitest';
import { defineEvent, type EventDefinition } from '../events.js';
import type { FoundProcessor, FoundTopology } from './declarations.js';
import { publicProblems, TopologyError, topologyProblems, workerProblems } from './topology-rules.js';

const sent = defineEvent('parcel.sent', { consumers: ['post'] });
const lost = defineEvent('parcel.lost', { consumers: ['post', 'insurance'] });

const processor = (
  queue: string,
  events: EventDefinition[],
  change: Partial<FoundProcessor> = {},
): FoundProcessor => ({
  className: `${queue[0]!.toUpperCase()}${queue.slice(1)}Processor`,
  queue,
  isConsumer: true,
  isStatic: true,
  handlers: events.map((event) => ({
    event,
    method: `on${event.name.replace(/(^|\.)(.)/g, (_, __, c: string) => c.toUpperCase())}`,
  })),
  ...change,
});

const good: FoundTopology = {
  events: [sent, lost],
  queues: ['post', 'insurance'],
  plainQueues: ['thumbnails'],
  refused: [],
  processors: [processor('post', [sent, lost]), processor('insurance', [lost])],
  schedules: [{ where: 'Sweep.run', name: 'sweep', queue: 'post' }],
  retiredSchedules: [{ name: 'sweep-all', queue: 'post' }],
};

describe('the check at start', () => {
  it('accepts matching events, queues, handlers and schedules', () => {
    expect(topologyProblems(good)).toEqual([]);
    expect(publicProblems(good)).toEqual([]);
  });

  it.each<[string, Partial<FoundTopology>, string[]]>([
    [
      'an event declared twice',
      { events: [sent, lost, defineEvent('parcel.sent', { consumers: ['post'] })] },
      ['event parcel.sent is declared 2 times; define it once and list it in one MessagingModule.forFeature'],
    ],
    [
      'an event without a consumer',
      { events: [sent, lost, defineEvent('parcel.kept', { consumers: [] as never })] },
      ['event parcel.kept has no consumer; name the queues that handle it, or do not announce it'],
    ],
    [
      'a consumer named twice',
      { events: [defineEvent('parcel.sent', { consumers: ['post', 'post'] }), lost] },
      ['event parcel.sent names its consumer post 2 times; name it once'],
    ],
    [
      'an invalid event name',
      {
        events: [sent, lost, defineEvent('Parcel:Sent', { consumers: ['post'] })],
        processors: [
          processor('post', [sent, lost, defineEvent('Parcel:Sent', { consumers: ['post'] })]),
          good.processors[1]!,
        ],
      },
      ['event Parcel:Sent must be named in lower case, with dots and dashes only'],
    ],
    [
      'a consumer without a queue',
      { events: [sent, lost, defineEvent('parcel.kept', { consumers: ['attic'] })] },
      [
        'event parcel.kept names the consumer attic, but no feature declares that queue; ' +
          "list it in MessagingModule.forFeature({ queues: ['attic'] })",
      ],
    ],
    [
      'a queue declared twice',
      { queues: ['post', 'insurance', 'post'] },
      ['queue post is declared 2 times; one feature owns a queue'],
    ],
    [
      'a queue without a processor',
      { processors: [good.processors[0]!] },
      ["queue insurance has no processor; provide a class with @EventProcessor('insurance') in its feature"],
    ],
    [
      'a queue with two processors',
      { processors: [...good.processors, processor('insurance', [lost], { className: 'OtherProcessor' })] },
      ['queue insurance has 2 processors: InsuranceProcessor, OtherProcessor; keep one'],
    ],
    [
      'a processor of an undeclared queue',
      { processors: [...good.processors, processor('attic', [])] },
      [
        'AtticProcessor serves the queue attic, which no feature declares; list it in MessagingModule.forFeature',
      ],
    ],
    [
      'a processor that does not extend EventConsumer',
      { processors: [good.processors[0]!, processor('insurance', [lost], { isConsumer: false })] },
      ['InsuranceProcessor must extend EventConsumer'],
    ],
    [
      'a request-scoped processor',
      { processors: [good.processors[0]!, processor('insurance', [lost], { isStatic: false })] },
      ['InsuranceProcessor must not be request-scoped; there is no request in a worker'],
    ],
    [
      'a missing handler',
      { processors: [processor('post', [sent]), good.processors[1]!] },
      [
        'PostProcessor has no handler for parcel.lost, although post is its consumer; add a method with @Handles',
      ],
    ],
    [
      'a duplicate handler',
      {
        processors: [
          processor('post', [sent, lost], {
            handlers: [...good.processors[0]!.handlers, { event: sent, method: 'alsoOnParcelSent' }],
          }),
          good.processors[1]!,
        ],
      },
      ['PostProcessor handles parcel.sent 2 times (onParcelSent, alsoOnParcelSent); keep one'],
    ],
    [
      'a handler of an undeclared event',
      {
        processors: [
          processor('post', [sent, lost, defineEvent('parcel.kept', { consumers: ['post'] })]),
          good.processors[1]!,
        ],
      },
      [
        'PostProcessor.onParcelKept handles parcel.kept, which no feature declares; list it in MessagingModule.forFeature',
      ],
    ],
    [
      'a handler on a queue that does not consume the event',
      { processors: [good.processors[0]!, processor('insurance', [lost, sent])] },
      [
        'InsuranceProcessor.onParcelSent handles parcel.sent, whose consumers do not include insurance; add it in defineEvent',
      ],
    ],
    [
      'two schedules with the same name',
      { schedules: [...good.schedules, { where: 'Clean.run', name: 'sweep', queue: 'post' }] },
      ['the schedule sweep is used 2 times (Sweep.run, Clean.run); give each its own name'],
    ],
    [
      'a schedule on an undeclared queue',
      { schedules: [{ where: 'Sweep.run', name: 'sweep', queue: 'attic' }] },
      ['the schedule sweep (Sweep.run) runs on the queue attic, which no feature declares'],
    ],
    [
      'a schedule with an invalid name',
      { schedules: [{ where: 'Sweep.run', name: 'sweep:all', queue: 'post' }] },
      ['the schedule sweep:all must be named in lower case, with dots and dashes only'],
    ],
    [
      'an invalid cron pattern',
      { schedules: [{ where: 'Sweep.run', name: 'sweep', queue: 'post', pattern: '0 25 * * *' }] },
      [
        "the schedule sweep (Sweep.run) cannot be read: pattern '0 25 * * *', time zone 'UTC'; write '30 2 * * *' and 'Europe/Berlin'",
      ],
    ],
    [
      'an unknown time zone',
      {
        schedules: [
          {
            where: 'Sweep.run',
            name: 'sweep',
            queue: 'thumbnails',
            pattern: '0 3 * * *',
            timeZone: 'Europe/Bonn',
          },
        ],
      },
      [
        "the schedule sweep (Sweep.run) cannot be read: pattern '0 3 * * *', time zone 'Europe/Bonn'; write '30 2 * * *' and 'Europe/Berlin'",
      ],
    ],
    [
      'a plain queue that is also declared for events',
      { plainQueues: ['post'] },
      [
        'queue post is declared for events and registered with BullModule.registerQueue; give one another name',
      ],
    ],
    [
      'a plain queue with an invalid name',
      { plainQueues: ['sendMail', 'send:mail'] },
      ['queue send:mail must be named in letters, digits, dots, dashes and underscores only'],
    ],
    ['an unsupported use that was found in the modules', { refused: ['leave that out'] }, ['leave that out']],
    [
      'a schedule that is both declared and retired',
      { retiredSchedules: [{ name: 'sweep', queue: 'post' }] },
      ['the schedule sweep (Sweep.run) is listed as retired; take it off that list or remove it'],
    ],
  ])('reports %s, with a remedy', (_what, change, problems) => {
    expect(topologyProblems({ ...good, ...change })).toEqual(problems);
  });

  it('reports all problems at once', () => {
    const problems = topologyProblems({
      events: [sent, sent],
      queues: ['post'],
      plainQueues: [],
      refused: [],
      processors: [],
      schedules: [],
      retiredSchedules: [],
    });
    expect(problems).toHaveLength(2);
    const error = new TopologyError(problems);
    for (const problem of problems) expect(error.message).toContain(`  - ${problem}`);
  });

  it('checks only the events in the api', () => {
    expect(publicProblems({ ...good, queues: [], processors: [], schedules: [] })).toEqual([]);
    expect(publicProblems({ ...good, events: [sent, sent] })).toHaveLength(1);
  });

  it('requires one processor for each plain queue', () => {
    expect(workerProblems(['thumbnails'], ['post'], ['post', 'thumbnails'])).toEqual([]);
    expect(workerProblems(['thumbnails', 'mails'], ['post'], ['post', 'mails', 'mails', 'video'])).toEqual([
      "queue thumbnails has no processor; provide a class with @Processor('thumbnails') that extends WorkerHost",
      'queue mails has 2 processors; keep one',
      "a @Processor serves the queue video, which no feature registers; import BullModule.registerQueue({ name: 'video' })",
    ]);
  });
});
