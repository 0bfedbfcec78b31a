import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Settings } from '../config/index.js';
import { Migrator } from '../platform/database/index.js';
import { positive } from './positive.js';
import { print, report } from './print.js';
import { run } from './run.js';
import { seedDemo } from './seed-demo.js';

/** How often a process that waits for migrations asks again. */
const POLL_MS = 1000;

/** `migrate`, `migrate:status`, `migrate:revert`, `seed:demo`. */
export function databaseCommands(cli: Command): void {
  cli
    .command('migrate')
    .description('run the pending migrations; concurrent runs wait for each other')
    .action(() =>
      withMigrator(async (migrator) => {
        const ran = await migrator.migrate();
        for (const name of ran) print(`applied ${name}`);
        print(ran.length === 0 ? 'The schema is up to date.' : `${ran.length} migration(s) applied.`);
        return 0;
      }),
    );

  cli
    .command('migrate:status')
    .description('list all migrations; exit 1 when one is pending, or applied but unknown to this release')
    .option(
      '--wait <seconds>',
      'instead of listing, wait until PostgreSQL answers and none is pending',
      positive,
    )
    .action(({ wait }: { wait?: number }) =>
      wait === undefined
        ? withMigrator(async (migrator) => {
            const migrations = await migrator.status();
            for (const { name, applied, known } of migrations) {
              print(
                `${applied ? 'applied' : 'pending'}  ${name}${known ? '' : '  (unknown to this release)'}`,
              );
            }
            return migrations.every(({ applied, known }) => applied && known) ? 0 : 1;
          })
        : run((settings) => awaitMigrations(settings, wait)),
    );

  cli
    .command('migrate:revert')
    .description('revert the newest applied migration; exit 1 when there is none')
    .action(() =>
      withMigrator(async (migrator) => {
        const reverted = await migrator.revert();
        print(reverted ? `reverted ${reverted}` : 'No migration is applied; there is nothing to revert.');
        return reverted ? 0 : 1;
      }),
    );

  cli
    .command('seed:demo')
    .description(
      'fill an empty database with demo data and two accounts with a well-known password (never in production)',
    )
    .action(() => run(seedDemo));
}

function withMigrator(work: (migrator: Migrator) => Promise<number>): Promise<void> {
  return run((settings) => withOpenMigrator(settings, work));
}

async function withOpenMigrator<T>(settings: Settings, work: (migrator: Migrator) => Promise<T>): Promise<T> {
  const migrator = await Migrator.open(settings.database, report);
  try {
    return await work(migrator);
  } finally {
    await migrator.close();
  }
}

/**
 * What a process runs before it starts beside the job that migrates. Migrations that are unknown to this release do not matter:
 * an older release, after a rollback or in the middle of a rollout, starts on the newer schema.
 */
async function awaitMigrations(settings: Settings, seconds: number): Promise<number> {
  const deadline = performance.now() + seconds * 1000;
  for (let reported = ''; ; await delay(POLL_MS)) {
    let waitingFor: string;
    let failure: unknown;
    try {
      const migrations = await withOpenMigrator(settings, (migrator) => migrator.status());
      const pending = migrations.filter(({ applied }) => !applied);
      if (pending.length === 0) {
        print('No migration is pending.');
        return 0;
      }
      waitingFor = `${pending.length} pending migration(s), the first is ${pending[0]?.name}`;
    } catch (error) {
      failure = error;
      waitingFor = `PostgreSQL (${(error as { code?: string }).code ?? 'no connection'})`;
    }
    if (waitingFor !== reported) report(`Waiting for ${waitingFor}.`);
    reported = waitingFor;
    if (performance.now() < deadline) continue;
    if (failure !== undefined) throw failure;
    return 1;
  }
}
