/**
 * `npm run g -- feature invoices --fields "number:string(40):unique dueOn:date"`: the generators of `schematics/`, with options and
 * true exit codes, which `nest g` does not have.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { main } from '@angular-devkit/schematics-cli/bin/schematics.js';
import { noteGenerated, untouched } from './lib/generated.ts';
import { helpOf, kinds, overview, spelledOut } from './lib/generators.ts';
import { say, sayFailure } from './lib/terminal.ts';

const [kind, ...args] = process.argv.slice(2);

if (!kind || kind.startsWith('-')) process.stdout.write(overview());
else if (!kinds().includes(kind)) {
  sayFailure(`There is no generator "${kind}". There are: ${kinds().join(', ')}.`);
  process.exitCode = 1;
} else if (args.includes('--help')) process.stdout.write(helpOf(kind));
else process.exitCode = await generate(kind);

async function generate(name: string): Promise<number> {
  const written: string[] = [];
  const out = {
    ...process.stdout,
    write: (text: string) => (written.push(text), process.stdout.write(text)),
  };
  const dryRun = args.includes('--dry-run');
  const asGenerated = new Set(untouched(process.cwd()));
  const code = await main({
    args: [`./schematics/collection.json:${name}`, '--no-debug', ...spelledOut(args)],
    stdout: out as unknown as NodeJS.WriteStream,
  });
  const lines = [...written.join('').matchAll(/(CREATE|UPDATE|DELETE)\S* (\S+)/g)];
  if (code !== 0 || dryRun || lines.length === 0) return code;
  const pathsOf = (kind: string) => lines.filter(([, one]) => one === kind).map(([, , path]) => path!);
  // A second generator may change what the first one wrote: nobody's work is in it even so.
  const changed = pathsOf('UPDATE').filter((path) => asGenerated.has(path));
  noteGenerated(process.cwd(), [...pathsOf('CREATE'), ...changed]);
  for (const path of pathsOf('DELETE')) removeEmptyFolders(dirname(path));
  execFileSync('npm', ['run', '--silent', 'docs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  say('Next: npm run check. The API is at /docs of npm start.');
  return 0;
}

/** Git knows no folders. */
function removeEmptyFolders(folder: string): void {
  if (folder === '.' || !existsSync(folder) || readdirSync(folder).length > 0) return;
  rmdirSync(folder);
  removeEmptyFolders(dirname(folder));
}
