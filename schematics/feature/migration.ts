import { columnsOf } from '../lib/fields.ts';
import { pascal, type Names } from '../lib/names.ts';
import { sqlName } from '../lib/sql.ts';
import { writeScopes, type Feature } from './feature.ts';
import { searchIndex } from './list.ts';
import { foreignKeyName, indexes, isReference, tableOf, uniqueKeys } from './table.ts';

/** The migration that makes the table, and drops it. */
export function migration(feature: Feature): string {
  const { names, fields, timestamp } = feature;
  const scopes = writeScopes(feature);
  const { table } = names;
  const lines = [
    'id uuid NOT NULL',
    ...(feature.titled ? ['slug text NOT NULL'] : []),
    ...scopes.map(({ column }) => `${column} uuid NOT NULL`),
    ...fields.flatMap((field) =>
      columnsOf(field).map(
        ({ column, sql }) => `${sqlName(column)} ${sql}${field.optional ? '' : ' NOT NULL'}`,
      ),
    ),
    'version integer NOT NULL',
    'created_at timestamptz(3) NOT NULL DEFAULT now()',
    `CONSTRAINT ${table}_pkey PRIMARY KEY (id)`,
    ...scopes.map((scope) => `${foreignKey(table, scope.column, scope.table)} ON DELETE CASCADE`),
    ...fields.filter(isReference).map((field) => foreignKey(table, field.column, tableOf(field))),
    ...uniqueKeys(feature).map(
      ({ name, columns }) => `CONSTRAINT ${name} UNIQUE (${columns.map(sqlName).join(', ')})`,
    ),
  ];
  const search = searchIndex(feature);
  const statements = [
    ...indexes(feature).map(
      ({ name, columns }) => `CREATE INDEX ${name} ON ${sqlName(table)} (${columns.map(sqlName).join(', ')})`,
    ),
    ...(search ? [`CREATE INDEX ${search.name} ON ${sqlName(table)} USING gin (${search.expression})`] : []),
  ];
  return tableMigration(names, timestamp, lines, statements);
}

/**
 * A migration that makes a table.
 * @param lines its columns and constraints
 * @param statements what follows, such as its indexes
 */
export function tableMigration(
  { table, plural }: Names,
  timestamp: number,
  lines: string[],
  statements: string[],
): string {
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${pascal(plural)}${timestamp} implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`
      CREATE TABLE ${sqlName(table)} (
        ${lines.join(',\n        ')}
      )
    \`);
${statements.map((statement) => `    await queryRunner.query(${JSON.stringify(statement)});\n`).join('')}  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE ${sqlName(table)}');
  }
}
`;
}

export function foreignKey(table: string, column: string, other: string): string {
  return `CONSTRAINT ${foreignKeyName(table, column)} FOREIGN KEY (${sqlName(column)}) REFERENCES ${sqlName(other)} (id)`;
}
