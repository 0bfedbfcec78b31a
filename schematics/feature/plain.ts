import { GeneratorFailure } from '../lib/failure.ts';
import { classOf, columnsOf, isFilter, type Field } from '../lib/fields.ts';
import { withArticle } from '../lib/names.ts';
import { classes } from './dto.ts';
import { entity } from './entity.ts';
import { passed, taken, writeScopes, type Feature } from './feature.ts';
import { migration } from './migration.ts';

/** With `--no-http`, these would be for routes; or come by generators of their own. */
const OF_ROUTES = ['access', 'path', 'idempotent', 'cached'];
const BY_OTHERS = ['events', 'processor', 'consumes'];
/** These have a default, which means nothing here. */
const CHOSEN: Record<string, string> = { page: 'keyset', key: 'uuid' };

/** @throws GeneratorFailure for options that a feature without routes cannot have */
export function refuseRoutes(options: Partial<Record<string, unknown>>, fields: Field[]): void {
  const asked = (names: readonly string[]): string | undefined => names.find((name) => options[name]);
  const chosen = Object.keys(CHOSEN).find((name) => (options[name] ?? CHOSEN[name]) !== CHOSEN[name]);
  const route = asked(OF_ROUTES) ?? chosen;
  if (route) throw new GeneratorFailure(`--${route} is about routes: not with --no-http.`);
  const other = asked(BY_OTHERS);
  if (other)
    throw new GeneratorFailure(
      `Not --${other} with --no-http: generate the feature, then npm run g -- ${other === 'consumes' ? 'processor' : 'event'}.`,
    );
  const searched = fields.find(({ searchable }) => searchable);
  if (searched) throw new GeneratorFailure(`${searched.name}: without routes there is no list to search.`);
}

/** The files of a feature that has no routes: other features call its service. */
export function plainSourceOf(feature: Feature): Record<string, string> {
  const { names, fields, timestamp } = feature;
  const { pascal: One, pascalPlural: Many, plural, singular } = names;
  const folder = `src/modules/${plural}`;
  // Money is two columns here.
  const objects = { ...feature, fields: fields.filter(({ kindName }) => kindName === 'json') };
  return {
    [`${folder}/${singular}.entity.ts`]: entity(feature),
    ...classes(objects, folder),
    [`${folder}/${plural}.service.ts`]: plainService(feature),
    [`${folder}/${plural}.module.ts`]: `import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ${One} } from './${singular}.entity.js';
import { ${Many}Service } from './${plural}.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([${One}])],
  providers: [${Many}Service],
  exports: [${Many}Service],
})
export class ${Many}Module {}
`,
    [`${folder}/index.ts`]: `export { ${Many}Module } from './${plural}.module.js';
export { ${Many}Service, type ${One}Fields, type ${One}Record } from './${plural}.service.js';
`,
    [`migrations/${timestamp}-${plural}.ts`]: migration(feature),
  };
}

/** A service that other features call, in their own units of work. It takes and returns plain values. */
function plainService(feature: Feature): string {
  const { names, fields, owner } = feature;
  const { pascal: One, pascalPlural: Many, camel: one, camelPlural: many, singular, words } = names;
  const scopes = writeScopes(feature);
  const fixed = fields.filter(({ immutable }) => immutable).flatMap((field) => columnsOf(field));
  const changes =
    fixed.length > 0
      ? `Omit<${One}Fields, ${fixed.map(({ property }) => `'${property}'`).join(' | ')}>`
      : `${One}Fields`;
  // TypeORM rejects an empty value in a condition.
  const filters = fields
    .filter(isFilter)
    .flatMap((field) => columnsOf(field).map(({ property, type }) => `; ${property}?: ${type}`));
  const where = ['id', ...scopes.map(({ property }) => property)].join(', ');
  const classes = fields.flatMap((field) => (field.kindName === 'json' ? classOf(One, field)! : []));
  return `import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { newId } from '../../platform/database/index.js';
${classes.map(({ name, file }) => `import type { ${name} } from './dto/${file}.dto.js';\n`).join('')}import { ${One} } from './${singular}.entity.js';

/** What can be set of ${withArticle(words)}. */
export interface ${One}Fields {
${fields.flatMap((field) => columnsOf(field, classOf(One, field)?.name).map(({ property, type, comment }) => `${comment ? `  /** ${comment} */\n` : ''}  ${property}${field.optional || field.default !== undefined ? '?' : ''}: ${type}${field.optional ? ' | null' : ''};\n`)).join('')}}

/** ${capital(withArticle(words))} as others see it: entities stay in their feature. */
export interface ${One}Record extends Required<${One}Fields> {
  id: string;
${scopes.map(({ property }) => `  ${property}: string;\n`).join('')}  /** For changes that must not undo those of others. */
  version: number;
  createdAt: Date;
}

${owner ? `/** Every method is for one owner: another one's ${words} counts as not existing. */\n` : ''}@Injectable()
export class ${Many}Service {
  constructor(@InjectRepository(${One}) private readonly ${many}: Repository<${One}>) {}

  /** Newest first; only those older than \`before\`, if it is given. */
  list(${taken(scopes)}{ limit, before${filters.length > 0 ? ', ...filters' : ''} }: { limit: number; before?: string${filters.join('')} }): Promise<${One}Record[]> {
    return this.${many}.find({
      where: { ${[...scopes.map(({ property }) => property), ...(filters.length > 0 ? ['...filters'] : []), '...(before !== undefined && { id: LessThan(before) })'].join(', ')} },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  async find(${taken(scopes)}id: string): Promise<${One}Record | undefined> {
    return (await this.${many}.findOneBy({ ${where} })) ?? undefined;
  }

  async create(${taken(scopes)}fields: ${One}Fields): Promise<${One}Record> {
    const ${one} = this.${many}.create({ id: newId(), ${passed(scopes)}${fields.flatMap(initial).join(', ')} });
    await this.${many}.insert(${one});
    return ${one};
  }

  /** @returns whether it was still the version that was read */
  async change(${taken(scopes)}id: string, version: number, changes: Partial<${changes}>): Promise<boolean> {
    const { affected } = await this.${many}.update({ ${where}, version }, changes);
    return affected === 1;
  }

  /** @returns whether it was there */
  async delete(${taken(scopes)}id: string): Promise<boolean> {
    const { affected } = await this.${many}.delete({ ${where} });
    return affected === 1;
  }
}
`;
}

/** Of a new row: empty, or the default, where nothing is given. */
function initial(field: Field): string[] {
  return columnsOf(field).map(({ property }) => {
    const absent = field.optional ? ' ?? null' : field.default === undefined ? '' : ` ?? ${field.default}`;
    return `${property}: fields.${property}${absent}`;
  });
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
