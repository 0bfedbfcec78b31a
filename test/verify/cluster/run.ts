/**
 * `npm run verify:cluster`: what a rollout, a drained node and the like do to clients of the product on a real cluster
 * (docs/operations/deploy.md).
 */
import { join } from 'node:path';
import { pick, UsageError } from '../../../local/run-options.ts';
import { repositoryRoot } from '../../../local/servers/paths.ts';
import { concluded } from '../conclude.ts';
import { discoverScenarios } from '../discover.ts';
import { endOnSignals } from '../end-on-signals.ts';
import { runScenarios } from '../run-scenarios.ts';
import { KubectlError, kubectl } from './kubectl.ts';
import { parseOptions, usage } from './options.ts';
import { ClusterStage, returnNodes } from './stage.ts';

const CANNOT_TELL = 2;

try {
  process.exitCode = await main();
} catch (error) {
  const plain = error instanceof UsageError || error instanceof KubectlError;
  process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = CANNOT_TELL;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), join(repositoryRoot, 'reports'));
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const scenarios = await discoverScenarios<ClusterStage>(join(import.meta.dirname, 'scenarios'));
  if (options.list) {
    const width = Math.max(...scenarios.map(({ name }) => name.length));
    for (const { name, promise } of scenarios) process.stdout.write(`${name.padEnd(width)}  ${promise}\n`);
    return 0;
  }
  const chosen = options.only.length === 0 ? scenarios : pick(scenarios, options.only);
  endOnSignals(returnNodes);
  await kubectl(['version', '--output', 'json']);
  return concluded(chosen, { directory: options.reports, name: 'verify-cluster', env: {} }, () =>
    runScenarios(chosen, (phase) => ClusterStage.start(options, phase)),
  );
}
