/** `npm run migrations:check [-- --since TAG]`: what each migration that is not released yet would do to a product in use. */
import { parseArgs } from 'node:util';
import { startPostgres } from '../local/servers/postgres.ts';
import { candidates } from './lib/migrations/candidates.ts';
import { checkMigrations } from './lib/migrations/check.ts';

const { values } = parseArgs({ options: { since: { type: 'string' } } });
const migrations = await candidates(values.since);
const server = await startPostgres();
try {
  const { findings, empty } = await checkMigrations(server, migrations);
  for (const { migration, rule, message } of findings) console.error(`${migration}\n  ${rule}: ${message}`);
  for (const table of empty) console.error(`No rows could be made up for ${table}`);
  const checked = migrations.filter(({ released }) => !released).length;
  console.log(`${checked} of ${migrations.length} migration(s) checked, ${findings.length} finding(s).`);
  if (findings.length > 0) process.exitCode = 1;
} finally {
  await server.stop();
}
