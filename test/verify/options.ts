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

Starts the built product (two api instances, two workers) on private servers, breaks what can break while load runs, and
says of each promise whether it held. Exit 0: all held. Exit 1: one was broken. Exit 2: it could not be tried.

  --list             the scenarios and what each one promises
  --only NAME[,NAME] only these scenarios
  --env NAME=VALUE   a setting for every process of the product, over the scenario's own; for trying out what a setting
                     does to a promise
  --reports DIR      where verify.json and verify.html go (default: reports)
  --help             this text
`;

/** @throws UsageError */
export function parseOptions(args: string[], defaultReports: string): VerifyOptions {
  const { env, ...options } = readRunOptions(args, {
    env: { type: 'string', multiple: true, default: [] as string[] },
    reports: { type: 'string', default: defaultReports },
  });
  return { ...options, env: Object.fromEntries(env.map(assignment)) };
}

function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--env wants NAME=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}
