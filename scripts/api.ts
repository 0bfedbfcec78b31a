/**
 * `npm run api:check`: holds the API of this checkout against the last released one, and fails when a client of that may break.
 * `npm run api:release` records the API of this checkout as released.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '../local/servers/paths.ts';
import { changesBetween } from './lib/api/changes.ts';
import { documentOfCheckout } from './lib/api/document.ts';
import { RELEASED_API } from './lib/api/released.ts';
import { say, sayFailure } from './lib/terminal.ts';

const released = join(repositoryRoot, RELEASED_API);
const current = await documentOfCheckout();

if (process.argv.includes('--release')) {
  mkdirSync(dirname(released), { recursive: true });
  writeFileSync(released, `${JSON.stringify(current, null, 2)}\n`);
  say(`Written: ${RELEASED_API}. Commit it with the release.`);
} else if (existsSync(released)) {
  const { breaking, report } = await changesBetween(
    JSON.parse(readFileSync(released, 'utf8')) as object,
    current,
  );
  process.stdout.write(report);
  if (breaking) {
    sayFailure(
      'A change of this API is major: a client of the released one may break. Make it compatible, or release it on purpose with npm run api:release.',
    );
    process.exitCode = 1;
  }
} else {
  say(`No API has been released (${RELEASED_API}). npm run api:release records this one.`);
}
