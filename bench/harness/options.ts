import { readRunOptions, UsageError } from '../../local/run-options.ts';

export interface Options {
  help: boolean;
  list: boolean;
  /** Names of workloads; without names, all that have a bar. */
  only: string[];
  /** What to measure. Default: the first product. */
  on?: string;
  rounds: number;
  seconds: number;
  json?: string;
  profile?: string;
}

export const USAGE = `npm run bench -- [options]

  --only NAME[,NAME]   run only these workloads
  --list               list the workloads
  --on NAME            measure this product of bench/products instead of the first one
  --rounds N           measured rounds per side (default 5)
  --seconds N          load of each side in a round, in seconds (default 4)
  --json FILE          also write every figure of every round to FILE
  --profile NAME       run one workload once, write CPU profiles to reports/bench, and list the top costs`;

/** @throws UsageError */
export function readOptions(args: string[]): Options {
  const values = readRunOptions(args, {
    on: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
  });
  const profiling = values.profile !== undefined;
  return {
    ...values,
    only: profiling ? [String(values.profile)] : values.only,
    // A profile needs one long round and no medians.
    rounds: positive('--rounds', values.rounds ?? (profiling ? '1' : '5')),
    seconds: positive('--seconds', values.seconds ?? (profiling ? '10' : '4')),
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`${name} must be a whole number above 0`);
  return value;
}
