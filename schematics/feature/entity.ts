import { classOf, columnsOf, type Column, type Field } from '../lib/fields.ts';
import { writeScopes, type Feature } from './feature.ts';
import { searchIndex } from './list.ts';
import { foreignKeyName, indexes, isReference, tableOf, uniqueKeys, type Key } from './table.ts';

/** The entity: the table's columns, constraints and indexes. */
export function entity(feature: Feature): string {
  const { names, fields } = feature;
  const scopes = writeScopes(feature);
  const unique = uniqueKeys(feature);
  const indexed = indexes(feature);
  const search = searchIndex(feature);
  const imports = [
    'Column',
    'Entity',
    ...(scopes.length > 0 || fields.some(isReference) ? ['ForeignKey'] : []),
    ...(indexed.length > 0 || search ? ['Index'] : []),
    'PrimaryColumn',
    ...(unique.length > 0 ? ['Unique'] : []),
    'VersionColumn',
  ];
  return `import { ${imports.join(', ')} } from 'typeorm';
${columnImports(feature)}
@Entity('${names.table}')
${indexed.map((key) => `@Index(${textOf(key)})\n`).join('')}${search ? `@Index('${search.name}', { synchronize: false })\n` : ''}${unique.map((key) => `@Unique(${textOf(key)})\n`).join('')}export class ${names.pascal} {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: '${names.table}_pkey' })
  id!: string;
${feature.titled ? `\n  /** In paths. It stays when what it was made of changes. */\n  @Column('text')\n  slug!: string;\n` : ''}${scopes
    .map(
      ({ property: name, column, table }) => `
  @ForeignKey('${table}', { name: '${foreignKeyName(names.table, column)}', onDelete: 'CASCADE' })
  @Column('uuid', { name: '${column}' })
  ${name}!: string;
`,
    )
    .join('')}
${fields.map((field) => properties(feature, field)).join('\n')}
  /** Counts every change: the ETag. */
  @VersionColumn()
  version!: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'now()' })
  createdAt!: Date;
}
`;
}

/** The classes of columns that are objects. */
export function columnImports({ names, fields }: Feature): string {
  return fields
    .filter(({ kindName }) => kindName === 'json')
    .map((field) => classOf(names.pascal, field)!)
    .map(({ name, file }) => `import type { ${name} } from './dto/${file}.dto.js';\n`)
    .join('');
}

function textOf({ name, properties: list }: Key): string {
  return `'${name}', [${list.map((one) => `'${one}'`).join(', ')}]`;
}

/**
 * The properties of a field in an entity.
 * @param initial the default of its column, for rows that are there and for processes that do not know it
 */
export function properties({ names }: Pick<Feature, 'names'>, field: Field, initial?: string): string {
  const reference = isReference(field)
    ? `  @ForeignKey('${tableOf(field)}', { name: '${foreignKeyName(names.table, field.column)}' })\n`
    : '';
  return columnsOf(field, classOf(names.pascal, field)?.name)
    .map((column) => `${reference}${property(column, field.optional, initial)}`)
    .join('\n');
}

function property(
  { property: name, column, comment, orm: [type, rest], type: ts }: Column,
  optional: boolean,
  initial?: string,
): string {
  const options = [
    ...(column === name ? [] : [`name: '${column}'`]),
    ...(rest ? [rest] : []),
    ...(optional ? ['nullable: true'] : []),
    ...(initial === undefined ? [] : [`default: ${initial}`]),
  ];
  const plain = `'${type}'${options.length > 0 ? `, { ${options.join(', ')} }` : ''}`;
  // TypeORM's types know a precision of times only beside the type.
  const all = rest?.startsWith('precision') ? `{ type: '${type}', ${options.join(', ')} }` : plain;
  return `${comment ? `  /** ${comment} */\n` : ''}  @Column(${all})
  ${name}!: ${ts}${optional ? ' | null' : ''};
`;
}
