import { parseArgs } from 'node:util';
import type { Environment } from '../../local/processes.ts';

export interface VerifyOptions {
  list: boolean;
  help: boolean;
  /** Names of scenarios; none means all. */
  only: string[];
  env: Environment;
  /** Where the reports go. */
  reports: string;
}

/** A mistake on the command line, told in its own words. */
export class UsageError extends Error {}

export const usage = `npm run verify [-- options]

Starts the built product (two api instances, two workers) on private servers, breaks what can break while load runs, and
says of each promise whether it held. Exit 0: all held. Exit 1: one was broken. Exit 2: it could not be tried.

  --list             the scenarios and what each one promises
  --only NAME        only this scenario; may be given more than once
  --env NAME=VALUE   a setting for every process of the product, over the scenario's own; for trying out what a setting
                     does to a promise
  --reports DIR      where verify.json and verify.html go (default: reports)
  --help             this text
`;

/** @throws UsageError */
export function parseOptions(args: string[], scenarios: string[], defaultReports: string): VerifyOptions {
  const { values } = parse(args);
  const only = values.only ?? [];
  for (const name of only) {
    if (!scenarios.includes(name)) {
      throw new UsageError(`There is no scenario "${name}". There are: ${scenarios.join(', ')}`);
    }
  }
  return {
    list: values.list ?? false,
    help: values.help ?? false,
    only,
    env: Object.fromEntries((values.env ?? []).map(assignment)),
    reports: values.reports ?? defaultReports,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        only: { type: 'string', multiple: true },
        env: { type: 'string', multiple: true },
        reports: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--env wants NAME=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}
