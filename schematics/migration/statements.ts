/** A statement of TypeORM as people of this house write it: nothing quoted that need not be, no defaults spelled out. */
export function tidy(sql: string, reserved: ReadonlySet<string>): string {
  return sql
    .split(/('(?:[^']|'')*')/)
    .map((part, i) => (i % 2 === 1 ? part : tidyOutsideStrings(part, reserved)))
    .join('')
    .trim();
}

function tidyOutsideStrings(sql: string, reserved: ReadonlySet<string>): string {
  return sql
    .replaceAll('"public".', '')
    .replaceAll(/"([a-z_][a-z0-9_]*)"/g, (quoted, name: string) => (reserved.has(name) ? quoted : name))
    .replaceAll(/ ON (DELETE|UPDATE) NO ACTION/g, '')
    .replaceAll(/\bREFERENCES ("?\w+"?)\(/g, 'REFERENCES $1 (')
    .replaceAll(/\bADD (?!CONSTRAINT\b|COLUMN\b)(?="?\w)/g, 'ADD COLUMN ');
}

/** What a person has to look at before it runs where there are rows. */
export function warningsOf(statements: string[]): string[] {
  const drops = statements.filter((sql) => /\bDROP (COLUMN|TABLE)\b/.test(sql));
  const required = statements.filter(
    (sql) => /\bADD COLUMN\b/.test(sql) && /\bNOT NULL\b/.test(sql) && !/\bDEFAULT\b/.test(sql),
  );
  return [
    ...drops.map((sql) => `This loses data. If something was renamed, write RENAME in its place: ${sql}`),
    ...required.map(
      (sql) =>
        `This fails where the table has rows. Give the column a default, or fill it in between: ${sql}`,
    ),
  ];
}

export function migrationText(name: string, up: string[], down: string[]): string {
  const method = (what: string, statements: string[]): string =>
    statements.length === 0
      ? `async ${what}(_queryRunner: QueryRunner): Promise<void> {}`
      : `async ${what}(queryRunner: QueryRunner): Promise<void> {
    ${statements.map((sql) => `await queryRunner.query(${quoted(sql)});`).join('\n    ')}
  }`;
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${name} implements MigrationInterface {
  ${method('up', up)}

  ${method('down', down)}
}
`;
}

function quoted(sql: string): string {
  if (!/['\n\\]/.test(sql)) return `'${sql}'`;
  return `\`${sql.replaceAll(/[`\\]|\$\{/g, String.raw`\$&`)}\``;
}
