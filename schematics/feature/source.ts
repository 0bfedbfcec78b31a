import type { Field } from '../lib/fields.ts';
import type { Feature } from './feature.ts';
import { controller } from './controller.ts';
import { service } from './service.ts';
import { pascal, withArticle, type Names } from '../lib/names.ts';

/** The files of a feature, as the plainest one of the house has them (src/modules/addresses); prettier has the last word. */
export function sourceOf(feature: Feature): Record<string, string> {
  const { names, timestamp } = feature;
  const folder = `src/modules/${names.plural}`;
  return {
    [`${folder}/${names.singular}.entity.ts`]: entity(feature),
    [`${folder}/dto/${names.singular}-fields.dto.ts`]: fieldsDto(feature),
    [`${folder}/dto/${names.singular}.dto.ts`]: dto(feature),
    [`${folder}/${names.plural}.service.ts`]: service(feature),
    [`${folder}/${names.plural}.controller.ts`]: controller(feature),
    [`${folder}/${names.plural}.module.ts`]: module(feature),
    [`${folder}/index.ts`]: `export { ${names.pascalPlural}Module } from './${names.plural}.module.js';\n`,
    [`migrations/${timestamp}-${names.plural}.ts`]: migration(feature),
  };
}

/** Unique among all rows, or among those of an owner. */
function uniqueKey(
  { names, owner }: Feature,
  field: Field,
): { name: string; columns: string[]; properties: string[] } {
  return {
    name: `${names.table}_${owner ? 'user_id_' : ''}${field.column}_key`,
    columns: [...(owner ? ['user_id'] : []), field.column],
    properties: [...(owner ? ['userId'] : []), field.name],
  };
}

function tableOf({ argument }: Field): string {
  return argument.replaceAll('-', '_');
}

function entity(feature: Feature): string {
  const { names, fields, owner } = feature;
  const unique = fields.filter((field) => field.unique);
  const imports = [
    'Column',
    'Entity',
    ...(owner || fields.some(({ kindName }) => kindName === 'ref') ? ['ForeignKey'] : []),
    ...(owner ? ['Index'] : []),
    'PrimaryColumn',
    ...(unique.length > 0 ? ['Unique'] : []),
    'VersionColumn',
  ];
  const quoted = (list: string[]): string => list.map((one) => `'${one}'`).join(', ');
  return `import { ${imports.join(', ')} } from 'typeorm';

@Entity('${names.table}')
${owner ? `@Index('${names.table}_user_id_id_idx', ['userId', 'id'])\n` : ''}${unique
    .map((field) => uniqueKey(feature, field))
    .map(({ name, properties }) => `@Unique('${name}', [${quoted(properties)}])\n`)
    .join('')}export class ${names.pascal} {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: '${names.table}_pkey' })
  id!: string;
${
  owner
    ? `
  @ForeignKey('users', { name: '${names.table}_user_id_fkey', onDelete: 'CASCADE' })
  @Column('uuid', { name: 'user_id' })
  userId!: string;
`
    : ''
}
${fields.map((field) => property(names, field)).join('\n')}
  /** Counts every change: the ETag. */
  @VersionColumn()
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
`;
}

function property(names: Names, field: Field): string {
  const [type, rest = ''] = /^('[^']+')(?:, \{ (.*) \})?$/.exec(field.kind.column(field.argument))!.slice(1);
  const options = [
    ...(field.column === field.name ? [] : [`name: '${field.column}'`]),
    ...(rest ? [rest] : []),
    ...(field.optional ? ['nullable: true'] : []),
  ];
  const reference =
    field.kindName === 'ref'
      ? `  @ForeignKey('${tableOf(field)}', { name: '${names.table}_${field.column}_fkey' })\n`
      : '';
  const plain = `${type}${options.length > 0 ? `, { ${options.join(', ')} }` : ''}`;
  // TypeORM's types know a precision of times only beside the type.
  const column = rest ? `{ type: ${[type, ...options].join(', ')} }` : plain;
  return `${reference}  @Column(${column})
  ${field.name}!: ${field.kind.entity}${field.optional ? ' | null' : ''};
`;
}

function fieldsDto({ names, fields }: Feature): string {
  const decorators = [...new Set(fields.map((field) => field.kind.decorator(field.argument)[0]))].toSorted();
  return `import { ${decorators.join(', ')} } from '../../../platform/http/index.js';

/** The fields of ${withArticle(names.words)} that a caller sets. */
export class ${names.pascal}FieldsDto {
${fields
  .map((field) => {
    const [decorator, options, first] = field.kind.decorator(field.argument);
    const all = [options, ...(field.optional ? ['optional: true'] : [])].filter(Boolean).join(', ');
    const given = [...(first ? [first] : []), ...(all ? [`{ ${all} }`] : [])].join(', ');
    return `  @${decorator}(${given})\n  ${field.name}${field.optional ? '?' : '!'}: ${field.kind.dto};\n`;
  })
  .join('\n')}}
`;
}

function dto({ names }: Feature): string {
  return `import { DateTimeField, UuidField } from '../../../platform/http/index.js';
import { ${names.pascal}FieldsDto } from './${names.singular}-fields.dto.js';

export class ${names.pascal}Dto extends ${names.pascal}FieldsDto {
  @UuidField()
  id!: string;

  @DateTimeField()
  createdAt!: string;
}
`;
}

function module({ names }: Feature): string {
  const { pascal: One, pascalPlural: Many, plural, singular } = names;
  return `import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ${One} } from './${singular}.entity.js';
import { ${Many}Controller } from './${plural}.controller.js';
import { ${Many}Service } from './${plural}.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([${One}])],
  controllers: [${Many}Controller],
  providers: [${Many}Service],
})
export class ${Many}Module {}
`;
}

function migration(feature: Feature): string {
  const { names, fields, owner, timestamp } = feature;
  const { table } = names;
  const lines = [
    'id uuid NOT NULL',
    ...(owner ? ['user_id uuid NOT NULL'] : []),
    ...fields.map(
      ({ column, kind, argument, optional }) =>
        `${column} ${kind.sql(argument)}${optional ? '' : ' NOT NULL'}`,
    ),
    'version integer NOT NULL',
    'created_at timestamptz(3) NOT NULL DEFAULT now()',
    `CONSTRAINT ${table}_pkey PRIMARY KEY (id)`,
    ...(owner
      ? [`CONSTRAINT ${table}_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE`]
      : []),
    ...fields
      .filter(({ kindName }) => kindName === 'ref')
      .map(
        (field) =>
          `CONSTRAINT ${table}_${field.column}_fkey FOREIGN KEY (${field.column}) REFERENCES ${tableOf(field)} (id)`,
      ),
    ...fields
      .filter(({ unique }) => unique)
      .map((field) => uniqueKey(feature, field))
      .map(({ name, columns }) => `CONSTRAINT ${name} UNIQUE (${columns.join(', ')})`),
  ];
  const indexes = [...(owner ? [`CREATE INDEX ${table}_user_id_id_idx ON ${table} (user_id, id)`] : [])];
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${pascal(names.plural)}${timestamp} implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(\`
      CREATE TABLE ${table} (
        ${lines.join(',\n        ')}
      )
    \`);
${indexes.map((index) => `    await queryRunner.query('${index}');\n`).join('')}  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE ${table}');
  }
}
`;
}
