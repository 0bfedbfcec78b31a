import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fieldsHelp } from '../../schematics/lib/fields.ts';

/** A kind of generator, as `schematics/collection.json` lists it. */
interface Listed {
  schema: string;
  description: string;
}

interface Option {
  type: string;
  description: string;
  default?: unknown;
  visible?: boolean;
  $default?: { index?: number };
}

const FOLDER = join(import.meta.dirname, '../../schematics');

/** The generators of this project; those of Nest itself are `npx nest g`'s. */
export function kinds(): string[] {
  return Object.keys(listed());
}

/** `--no-http` as `--http=false`: the devkit reads the first one as `--http`, with the names of options that Node gives it today. */
export function spelledOut(args: string[]): string[] {
  return args.map((arg) => arg.replace(/^--no-(?!interactive$)([a-z-]+)$/, '--$1=false'));
}

/** What `npm run g -- --help` shows. */
export function overview(): string {
  const lines = Object.entries(listed()).map(
    ([kind, { description }]) => `  ${kind.padEnd(16)}${description}`,
  );
  return `npm run g -- KIND …, or npx nest g KIND, which asks

${lines.join('\n')}

npm run g -- KIND --help shows the options of one. --dry-run lists the files, and writes nothing.
`;
}

/** What `npm run g -- KIND --help` shows: made from the schema of its options. */
export function helpOf(kind: string): string {
  const { schema, description } = listed()[kind]!;
  const { properties } = read<{ properties: Record<string, Option> }>(schema);
  const visible = Object.entries(properties).filter(([, { visible: shown = true }]) => shown);
  const given = visible.filter(([, { $default }]) => $default?.index !== undefined);
  const options = visible
    .filter(([, { $default }]) => $default?.index === undefined)
    .map(([name, option]): [string, string] => [
      `--${option.default === true ? 'no-' : ''}${hyphened(name)}${option.type === 'boolean' ? '' : ` ${name.toUpperCase()}`}`,
      option.description,
    ]);
  const rows: [string, string][] = [
    ...given.map(([name, option]): [string, string] => [name.toUpperCase(), option.description]),
    ...options,
    ['--dry-run', 'List the files, and write nothing.'],
    ['--help', 'Show this text.'],
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const usage = [...given.map(([name]) => name.toUpperCase()), '[options]'].join(' ');
  return `npm run g -- ${kind} ${usage}

${description}

${rows.map(([name, text]) => `  ${name.padEnd(width)}${text}`).join('\n')}
${properties.fields ? `\n${fieldsHelp()}` : ''}`;
}

function listed(): Record<string, Listed> {
  return read<{ schematics: Record<string, Listed> }>('collection.json').schematics;
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(join(FOLDER, path), 'utf8')) as T;
}

function hyphened(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
