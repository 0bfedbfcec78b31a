import { columnsOf, isSort, type Field } from '../lib/fields.ts';
import { createClass, type Feature } from './feature.ts';
import { hasQuery, listConstants, listMethod } from './list.ts';

/** The service: all that the feature decides, on an injected repository. */
export function service(feature: Feature): string {
  const { names, fields, owner } = feature;
  const create = createClass(feature);
  const fixed = fields.filter(({ immutable }) => immutable);
  const changeable = fields.filter(({ immutable }) => !immutable);
  const queries = fields.some((field) => isSort(field) || field.searchable);
  const types = [
    ...(fixed.length > 0 ? [[create.name, create.file]] : []),
    [`${names.pascal}FieldsDto`, `${names.singular}-fields`],
    ...(hasQuery(feature) ? [[`${names.pascal}Query`, `${names.singular}-query`]] : []),
    [`${names.pascal}Dto`, names.singular],
  ];
  const { pascal: One, pascalPlural: Many, camel: one, camelPlural: many, singular, words } = names;
  const by = owner ? 'userId: string, ' : '';
  const pass = owner ? 'userId, ' : '';
  return `import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { ${queries ? '' : 'LessThan, '}Repository } from 'typeorm';
import { newId } from '../../platform/database/index.js';
import { ClientError } from '../../platform/errors/index.js';
import { decodeCursor, pageOf, requireMatch, staleVersion, type Page${hasQuery(feature) ? '' : ', type PageQuery'} } from '../../platform/http/index.js';
${types.map(([name, file]) => `import type { ${name} } from './dto/${file}.dto.js';\n`).join('')}import { ${One} } from './${singular}.entity.js';

${listConstants(feature)}/** With the tag of its version. */
export interface Tagged${One} {
  etag: string;
  ${one}: ${One}Dto;
}

${owner ? `/** Every method is for one owner: another caller's ${words} counts as not existing. */\n` : ''}@Injectable()
export class ${Many}Service {
  constructor(@InjectRepository(${One}) private readonly ${many}: Repository<${One}>) {}

${listMethod(feature)}

  /** @throws ClientError 404 \`${singular}-not-found\` */
  async get(${by}id: string): Promise<Tagged${One}> {
    return tagged(await this.find(${pass}id));
  }

  async create(${by}fields: ${create.name}): Promise<Tagged${One}> {
    const ${one} = this.${many}.create({ id: newId(), ${pass}${fixed.map((field) => `${toEntity(field)}, `).join('')}...columnsOf(fields) });
    await this.${many}.insert(${one});
    return tagged(${one});
  }

  /**
   * Changes all its fields, unless it has changed since the caller read it.
   * @throws ClientError 404 \`${singular}-not-found\`, 428 without \`If-Match\`; BusinessRuleError 412 \`stale-version\`
   */
  async change(${by}id: string, ifMatch: string | undefined, fields: ${One}FieldsDto): Promise<Tagged${One}> {
    const ${one} = await this.find(${pass}id);
    const { version } = ${one};
    requireMatch(ifMatch, etagOf(${one}));
    const columns = columnsOf(fields);
    const { affected } = await this.${many}.update({ id, version }, columns);
    if (affected === 0) throw staleVersion();
    return tagged(Object.assign(${one}, columns, { version: version + 1 }));
  }

  /** @throws ClientError 404 \`${singular}-not-found\` */
  async delete(${by}id: string): Promise<void> {
    const { affected } = await this.${many}.delete({ id${owner ? ', userId' : ''} });
    if (affected === 0) throw ${one}NotFound();
  }

  private async find(${by}id: string): Promise<${One}> {
    const ${one} = await this.${many}.findOneBy({ id${owner ? ', userId' : ''} });
    if (!${one}) throw ${one}NotFound();
    return ${one};
  }
}

function tagged(${one}: ${One}): Tagged${One} {
  return { etag: etagOf(${one}), ${one}: present(${one}) };
}

function etagOf({ version }: ${One}): string {
  return \`"\${version}"\`;
}

/** What the fields are in the table${changeable.some(({ optional }) => optional) ? '; those that are absent are empty' : ''}. */
function columnsOf(fields: ${One}FieldsDto): Pick<${One}, ${changeable
    .flatMap((field) => columnsOf(field))
    .map(({ property }) => `'${property}'`)
    .join(' | ')}> {
  return {
${changeable.map((field) => `    ${toEntity(field)},`).join('\n')}
  };
}

function present(${one}: ${One}): ${One}Dto {
  return {
    id: ${one}.id,
${fields.map((field) => `    ${toDto(one, field)},`).join('\n')}
    createdAt: ${one}.createdAt.toISOString(),
  };
}

function ${one}NotFound(): ClientError {
  return new ClientError({
    status: 404,
    /** ${owner ? 'The caller has' : 'There is'} no ${words} with this id. */
    code: '${singular}-not-found',
    detail: 'There is no such ${words}.',
  });
}
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
