import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../local/wait-for.ts';
import type { NamedFault } from './fault.ts';
import type { Aftermath, Evidence } from './invariant.ts';
import type { Product } from './product.ts';
import { Random } from './random.ts';
import { History } from './record.ts';
import type { JudgedInvariant, ScheduleResult } from './result.ts';
import type { Rig } from './rig.ts';
import { startRig, type RigOptions } from './rig/start.ts';
import type { Schedule } from './schedule.ts';
import { Steps } from './steps.ts';
import { Stopwatch } from './stopwatch.ts';

/** Far more than it takes. */
const AT_REST_WITHIN_MS = 60_000;
const LOG_LINES = 40;
const PREPARED_WITHIN_MS = 90_000;

export interface ScheduleOptions extends RigOptions {
  /** How long everything may take to come to rest after the last fault. Default 60 s: slowness breaks no promise. */
  atRestWithinMs?: number;
  /** The operations so far, for the progress display. */
  onStart?: (history: History) => void;
}

/** Runs one schedule on a rig of its own and judges what happened. */
export async function runSchedule(
  schedule: Schedule,
  product: Product,
  catalogue: readonly NamedFault[],
  {
    onPhase = () => undefined,
    onStart = () => undefined,
    atRestWithinMs = AT_REST_WITHIN_MS,
    ...options
  }: ScheduleOptions,
): Promise<ScheduleResult> {
  const stopwatch = new Stopwatch();
  const enter = (phase: string): void => {
    stopwatch.begin(phase);
    onPhase(phase);
  };
  const random = new Random(schedule.seed);
  const rig = await startRig(product, { ...options, onPhase: enter });
  let result: Omit<ScheduleResult, 'spent'>;
  try {
    enter('preparing');
    await prepare(product, rig, random);
    const history = new History();
    onStart(history);
    const traffic = product.start(rig, {
      random: random.fork('clients'),
      history,
      patient: schedule.patient,
    });
    const steps = new Steps(rig, catalogue, schedule.steps);
    enter('breaking things');
    await delay(schedule.lasts);
    enter('last answers');
    await Promise.all([traffic.stop(), steps.end()]);
    enter('healing');
    const unready = await rig.heal(atRestWithinMs);
    // What is not even ready by then is broken, however long one waits.
    const within = unready.length === 0 ? atRestWithinMs : atRestWithinMs / 3;
    enter('clients afterwards');
    await product.afterwards(rig, { random: random.fork('afterwards'), history, within });
    enter('coming to rest');
    const left = [...unready, ...(await unfinished(product, rig, within))];
    enter('judging');
    const aftermath = { schedule, history: history.operations, final: await product.final(rig), rig };
    const invariants = [atRest(left, atRestWithinMs), ...(await judge(product, aftermath))].map((one) =>
      withLog(one, rig),
    );
    result = {
      schedule,
      held: invariants.every(({ violations }) => violations.length === 0),
      invariants,
      history: history.operations,
      applied: steps.applied,
      counts: { faults: steps.applied.length, ...outcomesOf(history) },
    };
  } finally {
    enter('stopping');
    await rig.stop();
    stopwatch.end();
  }
  return { ...result, spent: stopwatch.spent };
}

/** Everything is whole, but on a slow machine the product may answer 503: then once more, with other people and accounts. */
async function prepare(product: Product, rig: Rig, random: Random): Promise<void> {
  let attempt = 0;
  await waitFor(
    async () => {
      attempt += 1;
      await product.prepare(rig, random.fork(attempt === 1 ? 'prepare' : `prepare ${attempt}`));
      return true;
    },
    { within: PREPARED_WITHIN_MS, every: 2_000, what: 'what the clients begin with' },
  );
}

type Judged = Omit<JudgedInvariant, 'violations'> & { violations: Evidence[] };

async function judge(product: Product, aftermath: Aftermath): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const invariant of await product.invariants()) {
    const { name, statement } = invariant;
    judged.push({ name, statement, ...(await invariant.check(aftermath)) });
  }
  return judged;
}

async function unfinished(product: Product, rig: Rig, within: number): Promise<string[]> {
  let left: string[] = [];
  await waitFor(async () => (left = await product.unfinished(rig)).length === 0, {
    within,
    every: 250,
  }).catch((error: Error) => {
    // Not an answer that something is left, but none at all.
    if (left.length === 0) throw error;
  });
  return left;
}

function atRest(left: string[], withinMs: number): Judged {
  return {
    name: 'at-rest',
    statement: `${withinMs / 1_000} s after the last fault everything is ready and nothing is left half-way`,
    counted: '1 schedule',
    violations: left.map((what) => ({ what, about: [] })),
  };
}

function withLog(judged: Judged, rig: Rig): JudgedInvariant {
  const violations = judged.violations.map((evidence) => {
    const lines = evidence.about.flatMap((id) => rig.logLines(id));
    return { ...evidence, log: lines.slice(0, LOG_LINES).map((line) => JSON.stringify(line)) };
  });
  return { ...judged, violations };
}

function outcomesOf({ operations }: History): { ok: number; refused: number; unknown: number } {
  const counts = { ok: 0, refused: 0, unknown: 0 };
  for (const { outcome } of operations) counts[outcome] += 1;
  return counts;
}
