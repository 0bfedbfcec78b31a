import { fieldsAlone } from '../feature/feature.ts';
import { foreignKeyName, indexes, isReference, tableOf } from '../feature/table.ts';
import { columnsOf, type Field } from '../lib/fields.ts';
import { pascal, type Names } from '../lib/names.ts';
import { sqlName } from '../lib/sql.ts';

/** The second migration comes after the first one in any order by time. */
const NEXT_MS = 1000;
const NAMED = 3;

/**
 * The columns; and for references what takes long on a table with many rows, without a lock that others wait for
 * (docs/operations/migrations.md).
 */
export function migrationsOf(names: Names, fields: Field[], timestamp: number): Record<string, string> {
  const columns = fields.flatMap((field) => columnsOf(field).map((column) => ({ ...column, field })));
  const listed = columns.slice(0, NAMED).map(({ column }) => column.replaceAll('_', '-'));
  const more = columns.length > NAMED ? ['and-more'] : [];
  const name = [names.plural, ...listed, ...more].join('-');
  const references = fields.filter(isReference);
  const table = sqlName(names.table);
  const alter = (parts: string[]): string => `ALTER TABLE ${table} ${parts.join(', ')}`;
  const constraint = ({ column }: Field): string => foreignKeyName(names.table, column);
  const adding = [
    ...columns.map(({ column, sql, field }) => `ADD COLUMN ${sqlName(column)} ${sql}${initial(field)}`),
    ...references.map(
      (field) =>
        `ADD CONSTRAINT ${constraint(field)} FOREIGN KEY (${sqlName(field.column)}) REFERENCES ${sqlName(tableOf(field))} (id) NOT VALID`,
    ),
  ];
  const dropping = columns.map(({ column }) => `DROP COLUMN ${sqlName(column)}`).toReversed();
  const first = text(`${pascal(name)}${timestamp}`, [query(alter(adding))], [query(alter(dropping))]);
  if (references.length === 0) return { [`migrations/${timestamp}-${name}.ts`]: first };
  const keys = indexes(fieldsAlone(names, references));
  const second = text(
    `${pascal(name)}Checked${timestamp + NEXT_MS}`,
    [
      ...references.map((field) => query(alter([`VALIDATE CONSTRAINT ${constraint(field)}`]))),
      ...keys.map(
        (key) =>
          `await buildIndex(queryRunner, '${key.name}', 'ON ${table} (${key.columns.map(sqlName).join(', ')})');`,
      ),
    ],
    keys.map((key) => `await dropIndex(queryRunner, '${key.name}');`).toReversed(),
    `import { buildIndex, dropIndex } from './lib/build-index.ts';\n`,
  );
  return {
    [`migrations/${timestamp}-${name}.ts`]: first,
    [`migrations/${timestamp + NEXT_MS}-${name}-checked.ts`]: second,
  };
}

/** Constant, so that no row is written for it. */
function initial(field: Field): string {
  return field.default === undefined ? '' : ` NOT NULL DEFAULT ${field.default}`;
}

function query(sql: string): string {
  return `await queryRunner.query(${JSON.stringify(sql)});`;
}

function text(className: string, up: string[], down: string[], helpers = ''): string {
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';
${helpers}
export class ${className} implements MigrationInterface {
${helpers && '  transaction = false;\n\n'}  async up(queryRunner: QueryRunner): Promise<void> {
    ${up.join('\n    ')}
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    ${down.join('\n    ')}
  }
}
`;
}
