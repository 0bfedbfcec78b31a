import { classes, fieldsDto } from '../feature/dto.ts';
import { columnImports, properties } from '../feature/entity.ts';
import { foreignKey, tableMigration } from '../feature/migration.ts';
import { index, module } from '../feature/source.ts';
import { columnsOf } from '../lib/fields.ts';
import type { Files } from '../lib/generator.ts';
import { sqlName } from '../lib/sql.ts';
import { foreignKeyName, keyName } from '../feature/table.ts';
import { controller } from './controller.ts';
import { deletedSides, type Join } from './join.ts';
import { service } from './service.ts';
import { testsOf } from './tests.ts';

/** All files of a join. */
export function filesOfJoin(files: Files, join: Join): Record<string, string> {
  const { names, fields, timestamp } = join;
  const folder = `src/modules/${names.plural}`;
  return {
    [`${folder}/${names.singular}.entity.ts`]: entity(join),
    ...classes(join, folder),
    ...(fields.length > 0 && { [`${folder}/dto/${names.singular}-fields.dto.ts`]: fieldsDto(join) }),
    [`${folder}/dto/${names.singular}.dto.ts`]: dto(join),
    [`${folder}/${names.plural}.service.ts`]: service(join),
    [`${folder}/${names.plural}.controller.ts`]: controller(join),
    [`${folder}/${names.plural}.module.ts`]: module(join),
    [`${folder}/index.ts`]: index(join),
    [`migrations/${timestamp}-${names.plural}.ts`]: migration(join),
    ...testsOf(join, deletedSides(files, join)),
  };
}

/** For lists, newest first; and for the rows of the second side, which its deletion looks for. */
function indexes({
  names,
  first,
  second,
}: Join): { name: string; columns: string[]; properties: string[] }[] {
  return [
    {
      columns: [first.column, 'created_at', second.column],
      properties: [first.property, 'createdAt', second.property],
    },
    { columns: [second.column], properties: [second.property] },
  ].map((key) => ({ ...key, name: keyName(names.table, key.columns, 'idx') }));
}

function entity(join: Join): string {
  const { names, fields, first, second } = join;
  const keys = indexes(join).map(
    ({ name, properties: list }) => `@Index('${name}', [${list.map((one) => `'${one}'`).join(', ')}])\n`,
  );
  return `import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
${columnImports(join)}
/** One for each pair: their ids are its key. It goes with either. */
@Entity('${names.table}')
${keys.join('')}export class ${names.pascal} {
${[first, second]
  .map(
    ({
      names: { table },
      property,
      column,
    }) => `  @ForeignKey('${table}', { name: '${foreignKeyName(names.table, column)}', onDelete: 'CASCADE' })
  @PrimaryColumn('uuid', { name: '${column}', primaryKeyConstraintName: '${names.table}_pkey' })
  ${property}!: string;
`,
  )
  .join('\n')}
${fields.map((field) => properties(join, field)).join('\n')}
  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
`;
}

function dto({ names, fields, first, second }: Join): string {
  const base = `${names.pascal}FieldsDto`;
  return `import { DateTimeField, UuidField } from '../../../platform/http/index.js';
${fields.length > 0 ? `import { ${base} } from './${names.singular}-fields.dto.js';\n` : ''}
export class ${names.pascal}Dto ${fields.length > 0 ? `extends ${base} ` : ''}{
${[first, second].map(({ property }) => `  @UuidField()\n  ${property}!: string;\n\n`).join('')}  @DateTimeField()
  createdAt!: string;
}
`;
}

function migration(join: Join): string {
  const { names, fields, first, second, timestamp } = join;
  const { table } = names;
  const lines = [
    ...[first, second].map(({ column }) => `${column} uuid NOT NULL`),
    ...fields.flatMap((field) =>
      columnsOf(field).map(
        ({ column, sql }) => `${sqlName(column)} ${sql}${field.optional ? '' : ' NOT NULL'}`,
      ),
    ),
    'created_at timestamptz(3) NOT NULL DEFAULT now()',
    `CONSTRAINT ${table}_pkey PRIMARY KEY (${first.column}, ${second.column})`,
    ...[first, second].map((side) => `${foreignKey(table, side.column, side.names.table)} ON DELETE CASCADE`),
  ];
  const statements = indexes(join).map(
    ({ name, columns }) => `CREATE INDEX ${name} ON ${sqlName(table)} (${columns.map(sqlName).join(', ')})`,
  );
  return tableMigration(names, timestamp, lines, statements);
}
