import { columnsOf } from '../lib/fields.ts';
import { pascal } from '../lib/names.ts';
import type { Feature } from './feature.ts';
import { searchIndex } from './list.ts';
import { indexes, isReference, tableOf, uniqueKeys } from './table.ts';

/** The migration that makes the table, and drops it. */
export function migration(feature: Feature): string {
  const { names, fields, owner, timestamp } = feature;
  const { table } = names;
  const lines = [
    'id uuid NOT NULL',
    ...(owner ? ['user_id uuid NOT NULL'] : []),
    ...fields.flatMap((field) =>
      columnsOf(field).map(({ column, sql }) => `${column} ${sql}${field.optional ? '' : ' NOT NULL'}`),
    ),
    'version integer NOT NULL',
    'created_at timestamptz(3) NOT NULL DEFAULT now()',
    `CONSTRAINT ${table}_pkey PRIMARY KEY (id)`,
    ...(owner
      ? [`CONSTRAINT ${table}_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE`]
      : []),
    ...fields
      .filter(isReference)
      .map(
        (field) =>
          `CONSTRAINT ${table}_${field.column}_fkey FOREIGN KEY (${field.column}) REFERENCES ${tableOf(field)} (id)`,
      ),
    ...uniqueKeys(feature).map(({ name, columns }) => `CONSTRAINT ${name} UNIQUE (${columns.join(', ')})`),
  ];
  const search = searchIndex(feature);
  const statements = [
    ...indexes(feature).map(
      ({ name, columns }) => `CREATE INDEX ${name} ON ${table} (${columns.join(', ')})`,
    ),
    ...(search ? [`CREATE INDEX ${search.name} ON ${table} USING gin (${search.expression})`] : []),
  ];
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${pascal(names.plural)}${timestamp} implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`
      CREATE TABLE ${table} (
        ${lines.join(',\n        ')}
      )
    \`);
${statements.map((statement) => `    await queryRunner.query(${JSON.stringify(statement)});\n`).join('')}  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE ${table}');
  }
}
`;
}
