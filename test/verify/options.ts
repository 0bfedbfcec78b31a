import type { Environment } from '../../local/processes.ts';
import { readRunOptions, UsageError } from '../../local/run-options.ts';

export interface VerifyOptions {
  list: boolean;
  help: boolean;
  /** Names of scenarios; none means all. */
  only: string[];
  env: Environment;
  /** Where the reports go. */
  reports: string;
}

export const usage = `npm run verify [-- options]

Starts the built product (two api instances, two workers) on private servers, injects faults under load, and reports for
each promise whether it held. Exit code 0: all held. 1: one was broken. 2: the run was not possible.

  --list             list the scenarios and their promises
  --only NAME[,NAME] run only these scenarios
  --env NAME=VALUE   a setting for every process of the product, overriding that of the scenario; to see how it
                     affects a promise
  --reports DIR      directory for verify.json and verify.html (default: reports)
  --nemesis          instead of the scenarios, search for broken promises with random faults; --nemesis --help
                     shows its options
  --help             show this text
`;

/** @throws UsageError */
export function parseOptions(args: string[], defaultReports: string): VerifyOptions {
  const { env, ...options } = readRunOptions(args, {
    env: { type: 'string', multiple: true, default: [] as string[] },
    reports: { type: 'string', default: defaultReports },
  });
  return { ...options, env: Object.fromEntries(env.map(assignment)) };
}

/** @throws UsageError */
export function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--env must be NAME=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}
