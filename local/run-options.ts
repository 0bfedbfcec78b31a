import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/** A mistake on the command line; its message is printed without a stack. */
export class UsageError extends Error {}

/** What `npm run verify` and `npm run bench` have in common. */
const COMMON = {
  help: { type: 'boolean', short: 'h', default: false },
  list: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] as string[] },
} as const;

/**
 * Reads a command line: the common options (`--only` takes several names, or may be given several times) and `more`.
 * @throws UsageError
 */
export function readRunOptions<T extends ParseArgsOptionsConfig>(args: string[], more: T) {
  try {
    const { values } = parseArgs({ args, options: { ...COMMON, ...more } });
    const { help, list, only } = values as { help: boolean; list: boolean; only: string[] };
    return { ...values, help, list, only: only.flatMap((names) => names.split(',')) };
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Those of `all` that are named. @throws UsageError for an unknown name */
export function pick<T extends { name: string }>(all: readonly T[], names: readonly string[]): T[] {
  return names.map((name) => {
    const found = all.find((one) => one.name === name);
    if (!found)
      throw new UsageError(`Unknown: "${name}". Available: ${all.map((one) => one.name).join(', ')}`);
    return found;
  });
}
