/**
 * `npm run g -- feature invoices --fields "number:string(40):unique dueOn:date"`: the generators of `schematics/`, with options and
 * true exit codes, which `nest g` does not have.
 */
import { execFileSync } from 'node:child_process';
import { main } from '@angular-devkit/schematics-cli/bin/schematics.js';
import { say } from './lib/terminal.ts';

const USAGE = `npm run g -- feature NAME --fields "FIELDS" [options]

Writes a feature: entity, migration, service, controller, tests; and lists it in src/product.modules.ts. NAME is the plural,
such as invoices. Files that are there already are never changed: then nothing is written.

FIELDS, separated by spaces: name:kind, name:kind(argument), and options after further colons.
  kinds    string(40), text, integer, bigint, decimal(12,2), money, boolean, date, timestamp, uuid, email, url,
           enum(draft,sent), ref(users), json(street:string,zip:string:optional); lists of strings as string(40)[], and
           so of url, uuid and enum
  options  optional, unique,
           default(draft)  for a field that may be left out and is never empty,
           immutable       set when one is added, and never again,
           indexed         lists can be filtered and sorted by it,
           searchable      lists can be searched for its words
  example  "number:string(40):unique:immutable price:money dueOn:date:optional:indexed status:enum(draft,sent):default(draft)"

  --owner          each row belongs to the caller that made it; without, every caller reads and admins write
  --singular NAME  where it does not follow from the plural
  --dry-run        list the files, and write nothing
  --help           show this text
`;

const [generator, ...args] = process.argv.slice(2);

if (!generator || generator.startsWith('-') || args.includes('--help')) process.stdout.write(USAGE);
else process.exitCode = await generate(generator);

async function generate(name: string): Promise<number> {
  const written: string[] = [];
  const out = {
    ...process.stdout,
    write: (text: string) => (written.push(text), process.stdout.write(text)),
  };
  const dryRun = args.includes('--dry-run');
  const code = await main({
    args: [`./schematics/collection.json:${name}`, '--no-debug', ...args],
    stdout: out as unknown as NodeJS.WriteStream,
  });
  const paths = [...written.join('').matchAll(/(?:CREATE|UPDATE)\S* (\S+) \(/g)].map(([, path = '']) => path);
  if (code !== 0 || dryRun || paths.length === 0) return code;
  execFileSync('node_modules/.bin/prettier', ['--write', '--log-level', 'warn', ...paths], {
    stdio: 'inherit',
  });
  execFileSync('npm', ['run', '--silent', 'docs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  say('Next: npm run check. The API is at /docs of npm start.');
  return 0;
}
