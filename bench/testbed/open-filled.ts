import type { RequestTemplate } from '../../local/requests.ts';
import type { Bench } from '../harness/bench.ts';
import type { Side } from '../harness/rates.ts';
import type { Caller, Subject } from '../subject.ts';
import type { Testbed, TestbedOptions } from './testbed.ts';

/** So many that none of them reaches the shipped rate limit, at 40,000 requests a second between them. */
const CALLERS = 4000;
const RECORDS_EACH = 25;
const THINGS = 500;

export interface FilledTestbed {
  testbed: Testbed;
  things: string[];
  api: Side & { managementUrl: string };
  /** In no order. */
  callers: Caller[];
  /** Reads of one record of each caller, in no order. */
  reads: () => Promise<RequestTemplate[]>;
}

/** The same with the bare server on the same database, if there is one. */
export interface BothSides extends FilledTestbed {
  sides: Side[];
}

/** The common part of workloads that compare with the bare server. */
export async function openBothSides(
  bench: Bench,
  subject: Subject,
  options: TestbedOptions = {},
): Promise<BothSides> {
  const open = await openFilled(bench, subject, options);
  if (subject.bare === undefined) return { ...open, sides: [open.api] };
  const bare = await open.testbed.reference(subject.bare);
  return { ...open, sides: [open.api, { name: 'bare', url: bare.url, pid: bare.pid }] };
}

/** The common part of workloads on the request path: callers with records, and an api. */
export async function openFilled(
  bench: Bench,
  subject: Subject,
  options: TestbedOptions = {},
): Promise<FilledTestbed> {
  const testbed = await bench.open(options);
  bench.say('filling tables');
  const { callers, things } = await subject.fill(testbed.sql, {
    callers: CALLERS,
    things: THINGS,
    records: CALLERS * RECORDS_EACH,
  });
  bench.say('starting the api');
  const { url, pid, managementUrl } = await testbed.api();
  const tokens = new Map(callers.map((id) => [id, testbed.tokens.of(id)]));
  return {
    testbed,
    things,
    callers: shuffled([...tokens].map(([id, token]) => ({ id, token }))),
    api: { name: 'holdfast', url, pid, managementUrl },
    reads: async () => {
      const { table, owner } = subject.records;
      const { rows } = await testbed.sql.query<{ id: string; caller: string }>(
        `SELECT DISTINCT ON (${owner}) id, ${owner} AS caller FROM ${table} ORDER BY ${owner}, id`,
      );
      return shuffled(rows.map(({ id, caller }) => subject.read.request(id, String(tokens.get(caller)))));
    },
  };
}

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
