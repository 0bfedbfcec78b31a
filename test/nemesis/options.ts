import type { Environment } from '../../local/processes.ts';
import { readRunOptions, UsageError } from '../../local/run-options.ts';
import { assignment } from '../verify/options.ts';

export interface NemesisOptions {
  list: boolean;
  help: boolean;
  /** Of the first schedule; those of the others follow from it. Undefined: a fresh one. */
  seed: number | undefined;
  /** As many schedules as fit. */
  minutes: number | undefined;
  schedules: number | undefined;
  /** How long the clients of a schedule work. */
  seconds: number;
  /** Mean time from one fault to the next. */
  everySeconds: number;
  product: string;
  /** Names of faults; none means all. */
  only: string[];
  without: string[];
  /** File with schedules to run again. */
  replay: string | undefined;
  /** Folder of another build, which rollouts bring. */
  against: string | undefined;
  sabotage: string | undefined;
  /** How long to look for the shortest schedule that still breaks an invariant; 0: not at all. */
  shrinkMinutes: number;
  env: Environment;
  reports: string;
}

export const usage = `npm run verify -- --nemesis [options]

Starts the built product (two api instances, two workers) with a standby of PostgreSQL and a replica of Redis, lets clients
work, draws from a seed what breaks, when and for how long, and checks afterwards what clients saw against what is stored.
Exit code 0: every invariant held. 1: one was broken. 2: the run was not possible.

  --seed N           the seed of the first schedule (default: a fresh one, which is printed)
  --seconds S        how long the clients of a schedule work (default 60)
  --every S          mean time from one fault to the next, in seconds (default 2.5)
  --schedules N      how many schedules, each with its own seed (default 1)
  --minutes M        as many schedules as fit
  --product NAME     what the clients use (default: ledger)
  --only FAULT,...   draw from these faults alone
  --without FAULT,...  draw from all but these
  --replay FILE      run the schedules of a file again: reports/nemesis.json, or one of test/nemesis/regressions
  --against DIR      another build of the product, which rollouts bring and take away
  --sabotage NAME    take a mend out of a copy of the build: it has to be found
  --shrink M         minutes to look for the shortest schedule that still breaks an invariant (default 5; 0: do not)
  --env NAME=VALUE   a setting for every process of the product
  --reports DIR      directory for nemesis.json and nemesis.html (default: reports)
  --list             list the faults
  --help             show this text
`;

const MOST_SEED = 2 ** 32 - 1;

/** @throws UsageError */
export function parseNemesisOptions(args: string[], defaultReports: string): NemesisOptions {
  const text = { type: 'string' } as const;
  const values = readRunOptions(args, {
    nemesis: { type: 'boolean' },
    seed: text,
    minutes: text,
    schedules: text,
    seconds: { ...text, default: '60' },
    every: { ...text, default: '2.5' },
    product: { ...text, default: 'ledger' },
    without: { ...text, multiple: true, default: [] as string[] },
    replay: text,
    against: text,
    sabotage: text,
    shrink: { ...text, default: '5' },
    env: { ...text, multiple: true, default: [] as string[] },
    reports: { ...text, default: defaultReports },
  });
  const { list, help, only, product, replay, against, sabotage, reports } = values;
  return {
    ...{ list, help, only, product, replay, against, sabotage, reports },
    without: values.without.flatMap((names) => names.split(',')),
    seed: optional('seed', values.seed, { least: 0, most: MOST_SEED, whole: true }),
    minutes: optional('minutes', values.minutes, { least: 0.1 }),
    schedules: optional('schedules', values.schedules, { least: 1, whole: true }),
    seconds: numberOf('seconds', values.seconds, { least: 5 }),
    everySeconds: numberOf('every', values.every, { least: 0.1 }),
    shrinkMinutes: numberOf('shrink', values.shrink, { least: 0 }),
    env: Object.fromEntries(values.env.map(assignment)),
  };
}

interface Range {
  least: number;
  most?: number;
  whole?: boolean;
}

function optional(name: string, text: string | undefined, range: Range): number | undefined {
  return text === undefined ? undefined : numberOf(name, text, range);
}

function numberOf(name: string, text: string, { least, most = Infinity, whole = false }: Range): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  const upTo = most === Infinity ? '' : ` and at most ${most}`;
  throw new UsageError(`--${name} must be ${kind} of at least ${least}${upTo}, not "${text}"`);
}
