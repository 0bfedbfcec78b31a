/** `npm run bench`: see bench/README.md. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { build, BuildError } from '../scripts/lib/build.ts';
import { Progress } from '../local/progress.ts';
import { pick, UsageError } from '../local/run-options.ts';
import { localPath, repositoryRoot, tryLock } from '../local/servers/index.ts';
import { Bench } from './harness/bench.ts';
import { conditions, disturbance, productVersion } from './harness/conditions.ts';
import { costsOf, readProfiles } from './harness/cpu-profile.ts';
import type { Window } from './harness/bench.ts';
import { readOptions, USAGE } from './harness/options.ts';
import type { Options } from './harness/options.ts';
import { allMet, describe, summarise } from './harness/report.ts';
import type { Finished } from './harness/report.ts';
import type { Workload } from './workload.ts';
import { PRODUCTS } from './products/index.ts';
import type { Subject } from './subject.ts';
import { workloadsOf } from './workloads/index.ts';

const progress = new Progress(undefined, process.stderr);

async function main(options: Options): Promise<number> {
  if (options.help) return print(USAGE);
  const subject = options.on === undefined ? PRODUCTS[0]! : pick(PRODUCTS, [options.on])[0]!;
  const workloads = workloadsOf(subject);
  if (options.list) return print(workloads.map(listed).join('\n'));
  const chosen = choose(workloads, options.only);
  // Two of them at once would measure each other.
  const lock = tryLock(localPath('locks', 'bench'));
  if (!lock) throw new Error('Another bench is running in this checkout');
  // The guard ends everything that was started when this process ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  progress.begin('build');
  await build({ onlyIfStale: true });
  progress.end();
  const warning = disturbance();
  print([...conditions(), ...(warning ? [warning] : []), ''].join('\n'));

  const finished: Finished[] = [];
  for (const [index, workload] of chosen.entries()) {
    progress.begin(`[${index + 1}/${chosen.length}] ${workload.name}`);
    const done = await runOne(subject, workload, options);
    finished.push(done);
    progress.end();
    print(describe(done));
  }
  lock.release();
  if (options.json) writeFileSync(options.json, JSON.stringify(asJson(options, finished), undefined, 2));
  if (options.profile) return 0;
  print(summarise(finished));
  return allMet(finished) ? 0 : 1;
}

async function runOne(subject: Subject, workload: Workload, options: Options): Promise<Finished> {
  const { rounds, seconds } = options;
  const folder = options.profile ? `${repositoryRoot}/reports/bench/${workload.name}` : undefined;
  if (folder) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const bench = new Bench({ subject, rounds, seconds, progress, profileInto: folder });
  const started = performance.now();
  const result: Pick<Finished, 'outcome' | 'failure'> = {};
  try {
    result.outcome = await workload.run(bench);
  } catch (error) {
    result.failure = String((error as Error).stack ?? error);
  }
  bench.say('ending servers');
  await bench.close();
  if (folder) reportProfiles(folder, bench.windows);
  return { workload, ...result, seconds: (performance.now() - started) / 1000 };
}

/** Costs above this share of a process's busy time are listed. */
const WORTH_NAMING = 0.01;
const MOST_NAMED = 25;

function reportProfiles(folder: string, windows: readonly Window[]): void {
  progress.end();
  for (const { name, file, profile } of readProfiles(folder)) {
    const { busyShare, byOrigin, byFunction } = costsOf(profile, windows);
    if (byOrigin.length === 0) continue;
    const percent = (share: number): string => `${(share * 100).toFixed(1).padStart(6)} %`;
    const top = (costs: { what: string; share: number }[]): string[] =>
      costs
        .filter(({ share }) => share >= WORTH_NAMING)
        .slice(0, MOST_NAMED)
        .map(({ what, share }) => `${percent(share)}  ${what}`);
    print(`${name}: ${file}`);
    print(`busy for ${percent(busyShare).trim()} of the measured time, by package or file:`);
    print(`${top(byOrigin).join('\n')}\nby function:\n${top(byFunction).join('\n')}\n`);
  }
}

function choose(workloads: readonly Workload[], names: readonly string[]): Workload[] {
  return names.length === 0 ? workloads.filter(({ onDemand }) => !onDemand) : pick(workloads, names);
}

function listed({ name, title, onDemand }: Workload): string {
  return `${name.padEnd(18)}${title}${onDemand ? ' (only on request)' : ''}`;
}

function asJson(options: Options, finished: readonly Finished[]): unknown {
  return {
    version: productVersion(),
    finishedAt: new Date().toISOString(),
    rounds: options.rounds,
    seconds: options.seconds,
    conditions: conditions(),
    workloads: finished.map(({ workload, ...rest }) => ({
      name: workload.name,
      title: workload.title,
      ...rest,
    })),
  };
}

function print(text: string): 0 {
  process.stdout.write(`${text}\n`);
  return 0;
}

try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  progress.end();
  const known = error instanceof BuildError || error instanceof UsageError;
  process.stderr.write(`${known ? (error as Error).message : String((error as Error).stack)}\n`);
  process.exitCode = 2;
}
