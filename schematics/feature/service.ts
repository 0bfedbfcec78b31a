import type { Field } from '../lib/fields.ts';
import type { Feature } from './feature.ts';

/** The service: all that the feature decides, on an injected repository. */
export function service({ names, fields, owner }: Feature): string {
  const { pascal: One, pascalPlural: Many, camel: one, camelPlural: many, singular, words } = names;
  const by = owner ? 'userId: string, ' : '';
  const pass = owner ? 'userId, ' : '';
  return `import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { newId } from '../../platform/database/index.js';
import { ClientError } from '../../platform/errors/index.js';
import { decodeCursor, pageOf, requireMatch, staleVersion, type Page, type PageQuery } from '../../platform/http/index.js';
import type { ${One}FieldsDto } from './dto/${singular}-fields.dto.js';
import type { ${One}Dto } from './dto/${singular}.dto.js';
import { ${One} } from './${singular}.entity.js';

/** With the tag of its version. */
export interface Tagged${One} {
  etag: string;
  ${one}: ${One}Dto;
}

${owner ? `/** Every method is for one owner: another caller's ${words} counts as not existing. */\n` : ''}@Injectable()
export class ${Many}Service {
  constructor(@InjectRepository(${One}) private readonly ${many}: Repository<${One}>) {}

  /** Newest first. @throws ClientError 422 on a bad cursor */
  async list(${by}{ limit, cursor }: PageQuery): Promise<Page<${One}Dto>> {
    const [before] = decodeCursor<[string]>(cursor, ['uuid']) ?? [];
    const rows = await this.${many}.find({
      where: ${owner ? '{ userId, ...(before !== undefined && { id: LessThan(before) }) }' : 'before === undefined ? {} : { id: LessThan(before) }'},
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return pageOf(rows, limit, ({ id }) => [id], present);
  }

  /** @throws ClientError 404 \`${singular}-not-found\` */
  async get(${by}id: string): Promise<Tagged${One}> {
    return tagged(await this.find(${pass}id));
  }

  async create(${by}fields: ${One}FieldsDto): Promise<Tagged${One}> {
    const ${one} = this.${many}.create({ id: newId(), ${pass}...columnsOf(fields) });
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

/** What the fields are in the table${fields.some(({ optional }) => optional) ? '; those that are absent are empty' : ''}. */
function columnsOf(fields: ${One}FieldsDto): Pick<${One}, ${fields.map(({ name }) => `'${name}'`).join(' | ')}> {
  return {
${fields.map((field) => `    ${field.name}: ${toEntity(field)},`).join('\n')}
  };
}

function present(${one}: ${One}): ${One}Dto {
  return {
    id: ${one}.id,
${fields.map((field) => `    ${field.name}: ${toDto(one, field)},`).join('\n')}
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

function toEntity({ name, kind, optional }: Field): string {
  const value = `fields.${name}`;
  if (!kind.toEntity) return optional ? `${value} ?? null` : value;
  return optional ? `${value} === undefined ? null : ${kind.toEntity(value)}` : kind.toEntity(value);
}

function toDto(one: string, { name, kind, optional }: Field): string {
  const value = `${one}.${name}`;
  if (!kind.toDto) return optional ? `${value} ?? undefined` : value;
  return optional ? `${value} === null ? undefined : ${kind.toDto(value)}` : kind.toDto(value);
}
