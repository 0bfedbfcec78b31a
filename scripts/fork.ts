/**
 * `npm run fork`: makes this checkout of the starter a product of its own (docs/forking.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answersFrom, askOnTerminal, parseFlags, usage, type Answers } from './lib/fork/answers.ts';
import { ForkFailure } from './lib/fork/failure.ts';
import { fork, recordOf, RECORD, type Forked } from './lib/fork/fork.ts';
import { examplesOf, RemovalFailure } from './lib/remove-features.ts';
import { say, sayFailure, step } from './lib/terminal.ts';

const root = process.cwd();

try {
  await main();
} catch (error) {
  if (!(error instanceof ForkFailure || error instanceof RemovalFailure)) throw error;
  sayFailure(error.message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(usage);
    return;
  }
  const record = recordOf(root);
  if (record) {
    const { name } = record.answers;
    if (flags.name !== undefined && flags.name !== name)
      throw new ForkFailure(`This is ${name} already (${RECORD}): a fork is named once.`);
    say(`This is ${name} already, made from version ${record.version}: nothing to do.`);
    return;
  }
  requireCleanTree();
  const examples = examplesOf(root);
  const canAsk = process.stdin.isTTY && process.stdout.isTTY;
  const answers = canAsk
    ? await askOnTerminal((ask) => answersFrom(flags, examples, ask))
    : await answersFrom(flags, examples, undefined);
  if (flags.dryRun) {
    list(forkOfACopy(answers));
    say('Nothing was changed.');
    return;
  }
  const forked = await step('Forking', async () => fork(root, answers));
  list(forked);
  await step('Formatting', async () =>
    run(
      'node_modules/.bin/prettier',
      '--write',
      '--log-level',
      'warn',
      '--ignore-unknown',
      ...forked.changed,
    ),
  );
  await step('Generated documents', async () => run('npm', 'run', '--silent', 'docs'));
  await step('Rendered manifests', async () => run('npm', 'run', '--silent', 'manifests'));
  say(`This is ${answers.title} now. Next: npm run check, look at git diff, commit.`);
}

/** What is uncommitted could not be told from what the fork changes, nor be had back. */
function requireCleanTree(): void {
  let changes: string;
  try {
    changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  } catch {
    throw new ForkFailure('This is no git checkout: clone the starter, or run git init and commit first.');
  }
  if (changes !== '') throw new ForkFailure('There are uncommitted changes: commit or remove them first.');
}

function forkOfACopy(answers: Answers): Forked {
  const copy = mkdtempSync(join(tmpdir(), 'fork-'));
  try {
    execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, copy]);
    return fork(copy, answers);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function list({ removed, changed }: Forked): void {
  for (const { path, reason } of removed) say(`removed  ${path}  (${reason})`);
  for (const path of changed) say(`changed  ${path}`);
}

function run(command: string, ...args: string[]): void {
  try {
    execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: 'pipe', maxBuffer: 64e6 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new ForkFailure(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
