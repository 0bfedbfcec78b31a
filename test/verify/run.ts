/**
 * `npm run verify`: the game day. Breaks the dependencies of the built product one after another while load runs, and reports for
 * every promise whether it held (docs/verify.md).
 */
import { build, BuildError } from '../../scripts/lib/build.ts';
import { pick, UsageError } from '../../local/run-options.ts';
import { localPath, repositoryRoot } from '../../local/servers/paths.ts';
import { lockHolder, tryLock, withLock } from '../../local/servers/lock.ts';
import { join } from 'node:path';
import { nemesis } from '../nemesis/run.ts';
import { concluded } from './conclude.ts';
import { discoverScenarios } from './discover.ts';
import { endOnSignals } from './end-on-signals.ts';
import { parseOptions, usage } from './options.ts';
import { Progress } from '../../local/progress.ts';
import { runScenarios } from './run-scenarios.ts';
import { Stage } from './stage.ts';

const CANNOT_TELL = 2;

const scenarios = await discoverScenarios();
try {
  process.exitCode = await main();
} catch (error) {
  const plain = error instanceof UsageError || error instanceof BuildError;
  process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = CANNOT_TELL;
}

async function main(): Promise<number> {
  const names = scenarios.map(({ name }) => name);
  const [args, reports] = [process.argv.slice(2), join(repositoryRoot, 'reports')];
  if (args.includes('--nemesis')) return nemesis(args, reports);
  const options = parseOptions(args, reports);
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (options.list) {
    const width = Math.max(...names.map(({ length }) => length));
    for (const { name, promise } of scenarios) process.stdout.write(`${name.padEnd(width)}  ${promise}\n`);
    return 0;
  }
  const chosen = options.only.length === 0 ? scenarios : pick(scenarios, options.only);
  endOnSignals();
  // Two runs at once would measure each other.
  const lock = localPath('verify.lock');
  const free = tryLock(lock);
  if (!free) process.stdout.write(`Waiting for the run of process ${lockHolder(lock)} …\n`);
  free?.release();
  return withLock(lock, async () => {
    const progress = new Progress();
    progress.begin('Building the product');
    await build({ onlyIfStale: true });
    progress.end(`${progress.styled('green', '✓')} The product is built`);

    const { env, reports: directory } = options;
    return concluded(chosen, { directory, name: 'verify', env }, () =>
      runScenarios(chosen, (phase) => {
        phase('starting PostgreSQL, Redis, payment sandbox, SMTP sink, 2 api instances, 2 workers');
        return Stage.start({ env });
      }),
    );
  });
}
