import type { Command } from 'commander';
import { Migrator } from '../platform/database/index.js';
import { print, report } from './print.js';
import { run } from './run.js';
import { seedDemo } from './seed-demo.js';

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
    .action(() =>
      withMigrator(async (migrator) => {
        const migrations = await migrator.status();
        for (const { name, applied, known } of migrations) {
          print(`${applied ? 'applied' : 'pending'}  ${name}${known ? '' : '  (unknown to this release)'}`);
        }
        return migrations.every(({ applied, known }) => applied && known) ? 0 : 1;
      }),
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
  return run(async (settings) => {
    const migrator = await Migrator.open(settings.database, report);
    try {
      return await work(migrator);
    } finally {
      await migrator.close();
    }
  });
}
