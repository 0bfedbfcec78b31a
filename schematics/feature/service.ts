import { columnsOf, isSort, type Field } from '../lib/fields.ts';
import { withArticle } from '../lib/names.ts';
import { cachedGet, cachedType, cacheMember, cacheMethods, cacheSetUp, outdated } from './cached.ts';
import {
  createClass,
  keyOf,
  paging,
  passed,
  readScopes,
  shownScope,
  taken,
  viewer,
  visible,
  writeScopes,
  type Feature,
  type Scope,
} from './feature.ts';
import { hasQuery, listConstants, listMethod } from './list.ts';
import { slugInsert } from './slug.ts';

/** The service: all that the feature decides, on an injected repository. */
export function service(feature: Feature): string {
  const { names, fields, owner, events, access, titled, cached } = feature;
  const { pascal: One, pascalPlural: Many, camel: one, camelPlural: many, singular, words } = names;
  const create = createClass(feature);
  const key = keyOf(feature);
  const fixed = fields.filter(({ immutable }) => immutable);
  const queries = fields.some((field) => isSort(field) || field.searchable);
  const byCursor = feature.page === 'keyset';
  const reads = readScopes(feature);
  const writes = writeScopes(feature);
  const types = [
    ...(fixed.length > 0 ? [[create.name, create.file]] : []),
    [`${One}FieldsDto`, `${singular}-fields`],
    ...(hasQuery(feature) ? [[`${One}Query`, `${singular}-query`]] : []),
    [`${One}Dto`, singular],
  ];
  const where = (scopes: Scope[]): string => [key, ...scopes.map(({ property }) => property)].join(', ');
  const own = [key, ...reads.map(({ property }) => property)].map((name) => `${name}: string`);
  const finds =
    access === 'optional'
      ? `FindOptionsWhere<${One}> | FindOptionsWhere<${One}>[]`
      : `{ ${[...own, ...(reads.length === writes.length ? [] : ['userId?: string'])].join('; ')} }`;
  return `import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { ${queries || !byCursor ? '' : 'LessThan, '}Repository${access === 'optional' ? ', type FindOptionsWhere' : ''} } from 'typeorm';
${cached ? `import { CacheFactory, type Cached, type ReadThroughCache } from '../../platform/cache/index.js';\n` : ''}import { newId${titled ? ', UniqueViolationError' : ''}${events || titled || cached ? ', UnitOfWork' : ''} } from '../../platform/database/index.js';
import { ClientError } from '../../platform/errors/index.js';
import { ${byCursor ? 'decodeCursor, pageOf, ' : ''}requireMatch, staleVersion, type ${paging(feature).answer}${hasQuery(feature) ? '' : `, type ${paging(feature).query}`} } from '../../platform/http/index.js';
${events ? `import { Outbox, OutboxLimit } from '../../platform/messaging/index.js';\n` : ''}${types.map(([name, file]) => `import type { ${name} } from './dto/${file}.dto.js';\n`).join('')}${titled ? `import { slugOf } from './${singular}-slug.js';\n` : ''}import { ${One} } from './${singular}.entity.js';
${events ? `import { ${one}Changed, ${one}Created, ${one}Deleted } from './${names.plural}.events.js';\n` : ''}
${listConstants(feature)}/** With the tag of its version. */
export interface Tagged${One} {
  etag: string;
  ${one}: ${One}Dto;
}

${cachedType(feature)}${
    access === 'owner'
      ? `/** Every method is for one owner: another caller's ${words} counts as not existing. */\n`
      : owner
        ? `/** Read by others, too. Only its owner changes ${withArticle(words)}: to change another caller's counts as not existing. */\n`
        : ''
  }@Injectable()
export class ${Many}Service {
${cacheMember(feature)}  constructor(${[
    `@InjectRepository(${One}) private readonly ${many}: Repository<${One}>`,
    ...(events || titled || cached ? ['private readonly unitOfWork: UnitOfWork'] : []),
    ...(events ? ['private readonly outbox: Outbox', 'private readonly outboxLimit: OutboxLimit'] : []),
    ...(cached ? ['caches: CacheFactory'] : []),
  ].join(', ')}) {${cacheSetUp(feature)}}

${listMethod(feature)}

${
  cached
    ? cachedGet(feature)
    : `  /** @throws ClientError 404 \`${singular}-not-found\` */
  async get(${taken(reads)}${viewer(feature)}${key}: string): Promise<Tagged${One}> {
    return tagged(await this.find(${visible(feature, `{ ${where(reads)} }`)}));
  }`
}

${events ? '  /** @throws TransientError 503 `backlog-full` */\n' : ''}  async create(${taken(writes)}fields: ${create.name}): Promise<Tagged${One}> {
${events ? '    this.outboxLimit.requireRoom();\n' : ''}    const ${one} = this.${many}.create({ id: newId(), ${titled ? `slug: slugOf(fields.${titled.name}), ` : ''}${passed(writes)}${fixed.map((field) => `${toEntity(field)}, `).join('')}...columnsOf(fields) });
${inUnit(
  feature,
  `    await ${titled ? (events ? `this.insert(${one})` : `this.unitOfWork.run(() => this.insert(${one}))`) : `this.${many}.insert(${one})`};
`,
  `    await this.outbox.announce(${one}Created, { ${one}Id: ${one}.id, ${passed(writes)}}, { key: ${one}.id });
`,
)}    return tagged(${one});
  }

  /**
   * Changes all its fields, unless it has changed since the caller read it.
   * @throws ClientError 404 \`${singular}-not-found\`, 428 without \`If-Match\`; BusinessRuleError 412 \`stale-version\`
   */
  async change(${taken(writes)}${key}: string, ifMatch: string | undefined, fields: ${One}FieldsDto): Promise<Tagged${One}> {
    const ${one} = await this.find({ ${where(writes)} });
    const { ${titled ? 'id, ' : ''}version } = ${one};
    requireMatch(ifMatch, etagOf(${one}));
    const columns = columnsOf(fields);
${inUnit(
  feature,
  `    const { affected } = await this.${many}.update({ id, version }, columns);
    if (affected === 0) throw staleVersion();
${outdated(feature, 'version + 1')}`,
  `    await this.outbox.announce(${one}Changed, { ${one}Id: id, ${passed(writes)}}, { key: id });
`,
)}    return tagged(Object.assign(${one}, columns, { version: version + 1 }));
  }

  /** @throws ClientError 404 \`${singular}-not-found\` */
  async delete(${taken(writes)}${key}: string): Promise<void> {
${inUnit(
  feature,
  `${titled && events ? `    const { id } = await this.find({ ${where(writes)} });\n` : ''}    const { affected } = await this.${many}.delete({ ${titled && events ? 'id' : where(writes)} });
    if (affected === 0) throw ${one}NotFound();
${outdated(feature, 'DELETED')}`,
  `    await this.outbox.announce(${one}Deleted, { ${one}Id: id, ${passed(writes)}}, { key: id });
`,
)}  }
${titled ? slugInsert(feature) : ''}
  private async find(which: ${finds}): Promise<${One}> {
    const ${one} = await this.${many}.findOneBy(which);
    if (!${one}) throw ${one}NotFound();
    return ${one};
  }
${cacheMethods(feature)}}

${
  access === 'optional'
    ? `/** Everybody sees what is published, and its owner the rest as well. */
function visibleTo<T extends object>(viewer: string | undefined, which: T) {
  return [{ ...which, published: true }, ...(viewer === undefined ? [] : [{ ...which, userId: viewer }])];
}

`
    : ''
}function tagged(${one}: ${One}): Tagged${One} {
  return { etag: etagOf(${one}), ${one}: present(${one}) };
}

function etagOf({ version }: ${One}): string {
  return \`"\${version}"\`;
}

${columnsFunction(feature)}function present(${one}: ${One}): ${One}Dto {
  return {
    id: ${one}.id,
${titled ? `    slug: ${one}.slug,\n` : ''}${writes
    .map(({ property }) => property)
    .filter((name) => shownScope(feature, name))
    .map((name) => `    ${name}: ${one}.${name},\n`)
    .join('')}${fields.map((field) => `    ${toDto(one, field)},`).join('\n')}
    createdAt: ${one}.createdAt.toISOString(),
  };
}

function ${one}NotFound(): ClientError {
  return new ClientError({
    status: 404,
    /** ${access === 'owner' ? 'The caller has' : 'There is'} no ${words} with this ${key}${access !== 'owner' && owner ? ", or it is not the caller's to change" : ''}. */
    code: '${singular}-not-found',
    detail: 'There is no such ${words}.',
  });
}
`;
}

/** The function that gives the columns of the fields. */
export function columnsFunction({ names, fields }: Feature): string {
  const changeable = fields.filter(({ immutable }) => !immutable);
  const columns = changeable.flatMap((field) => columnsOf(field)).map(({ property }) => `'${property}'`);
  return `/** What the fields are in the table${changeable.some(({ optional }) => optional) ? '; those that are absent are empty' : ''}. */
function columnsOf(fields: ${names.pascal}FieldsDto): Pick<${names.pascal}, ${columns.join(' | ')}> {
  return {
${changeable.map((field) => `    ${toEntity(field)},`).join('\n')}
  };
}

`;
}

/** A change; with its announcement, if there is one, in one unit of work. */
function inUnit({ events }: Feature, change: string, announcement: string): string {
  if (!events) return change;
  return `    await this.unitOfWork.run(async () => {
${change}${announcement}    });
`;
}

/** The properties of the entity, from the DTO `fields`. */
export function toEntity(field: Field): string {
  const { name, kind, optional, kindName } = field;
  const value = `fields.${name}`;
  if (kindName === 'money') {
    const [amount, currency] = columnsOf(field).map(({ property }) => property);
    const of = (member: string): string => (optional ? `${value}?.${member} ?? null` : `${value}.${member}`);
    return `${amount}: ${of('amount')}, ${currency}: ${of('currency')}`;
  }
  if (!kind.toEntity) return `${name}: ${optional ? `${value} ?? null` : value}`;
  return `${name}: ${optional ? `${value} === undefined ? null : ${kind.toEntity(value)}` : kind.toEntity(value)}`;
}

/** The member of the DTO. */
export function toDto(one: string, field: Field): string {
  const { name, kind, optional, kindName } = field;
  const value = `${one}.${name}`;
  if (kindName === 'money') {
    const [amount, currency] = columnsOf(field).map(({ property }) => `${one}.${property}`);
    const money = `{ amount: ${amount}, currency: ${currency} }`;
    return `${name}: ${optional ? `${amount} === null || ${currency} === null ? undefined : ${money}` : money}`;
  }
  if (!kind.toDto) return `${name}: ${optional ? `${value} ?? undefined` : value}`;
  return `${name}: ${optional ? `${value} === null ? undefined : ${kind.toDto(value)}` : kind.toDto(value)}`;
}
