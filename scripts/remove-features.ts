/**
 * `node scripts/remove-features.ts orders exports …`, or `--examples` for all features but authentication and users: takes features out
 * of this tree, as `npm run fork` does, too. What belongs to a feature is worked out and not listed anywhere: its folder, its lines in the
 * product's registers, the migrations that are about its tables alone, and every test, bench or script that cannot do without it.
 * Prints each file with the reason. To be run where nothing is uncommitted, or on a copy.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withoutMarked } from './lib/fork/marks.ts';
import { rewriteTexts } from './lib/fork/texts.ts';
import { FOUNDATION, RemovalFailure, removeFeatures } from './lib/remove-features.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { examples: { type: 'boolean' }, root: { type: 'string', default: process.cwd() } },
});

try {
  const removed = removeFeatures(values.root, values.examples ? 'examples' : positionals);
  const gone = new Set(removed.features);
  removed.changed.push(...rewriteTexts(values.root, (path, text) => withoutMarked(path, text, gone)));
  for (const { path, reason } of removed.files) console.log(`removed  ${path}  (${reason})`);
  for (const path of removed.changed) console.log(`changed  ${path}`);
  if (removed.changed.length > 0) {
    const prettier = join(values.root, 'node_modules/.bin/prettier');
    execFileSync(prettier, ['--write', '--log-level', 'warn', '--ignore-unknown', ...removed.changed], {
      cwd: values.root,
    });
  }
  console.log(`Kept: ${FOUNDATION.join(', ')}. Next: npm run docs, then npm run check.`);
} catch (error) {
  if (!(error instanceof RemovalFailure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
