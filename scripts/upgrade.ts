/**
 * `npm run upgrade -- --to v1.2.0`: brings a fork to a newer version of the starter, on a branch (docs/forking.md).
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ForkFailure } from './lib/fork/failure.ts';
import { upgrade } from './lib/fork/upgrade.ts';
import { say, sayFailure, step } from './lib/terminal.ts';

const USAGE = `npm run upgrade -- --to v1.2.0 [--from SOURCE]

Merges a newer version of the starter into this fork, on a branch of its own. Your branch does not change.

  --to TAG       the version
  --from SOURCE  the starter: a path, or the address of a remote; default: the remote "upstream"
  --help         show this text
`;

try {
  await main();
} catch (error) {
  if (!(error instanceof ForkFailure)) throw error;
  sayFailure(error.message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { to, from, help } = flags();
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  if (to === undefined) throw new ForkFailure(`Which version? --to v1.2.0\n\n${USAGE}`);
  const source = from ?? upstream();
  const done = await step(`Upgrading to ${to}`, () => upgrade(process.cwd(), source, to));
  for (const { name, changed } of done.codemods)
    say(`codemod ${name}: ${changed.join(', ') || 'nothing to change'}`);
  for (const path of done.conflicts) say(`conflict ${path}`);
  say(
    done.conflicts.length > 0
      ? `Merge these by hand, then git add them and git commit. git merge --abort and git switch - take you back.`
      : `Merged on the branch ${done.branch}.`,
  );
  say(
    'Then: npm install, npm run docs, npm run manifests, npm run check, read the upgrade notes in the CHANGELOG of the starter.',
  );
  if (done.conflicts.length > 0) process.exitCode = 1;
}

function flags(): { to?: string; from?: string; help: boolean } {
  const text = { type: 'string' } as const;
  try {
    const options = { to: text, from: text, help: { type: 'boolean', short: 'h', default: false } } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    throw new ForkFailure(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}

function upstream(): string {
  try {
    return execFileSync('git', ['remote', 'get-url', 'upstream'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch (error) {
    throw new ForkFailure(
      'Where is the starter? Give --from, or add it once: git remote add upstream <address or path>.',
      { cause: error },
    );
  }
}
