import { columnsFunction, toDto } from '../feature/service.ts';
import { columnsOf } from '../lib/fields.ts';
import type { Join } from './join.ts';

/** The service of a join: rows are set and taken away, however often that is asked for. */
export function service(join: Join): string {
  const { names, fields, first, second, callers, access } = join;
  const { pascal: One, pascalPlural: Many, camel: one, camelPlural: many, singular, words, plural } = names;
  const has = fields.length > 0;
  const ids = `${first.property}: string, ${second.property}: string`;
  const pair = `{ ${first.property}, ${second.property} }`;
  const own = callers ? `    requireOwn(caller, ${callers.property});\n` : '';
  const asked = callers ? 'caller: string, ' : '';
  const reads = access === 'owner' ? { own, asked } : { own: '', asked: '' };
  const missing = `  /** @throws ClientError 404 \`${singular}-not-found\` */\n`;
  const columns = fields.flatMap((field) => columnsOf(field)).map(({ column }) => `'${column}'`);
  return `import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { ClientError } from '../../platform/errors/index.js';
import { decodeCursor, pageOf, type Page, type PageQuery } from '../../platform/http/index.js';
${has ? `import type { ${One}FieldsDto } from './dto/${singular}-fields.dto.js';\n` : ''}import type { ${One}Dto } from './dto/${singular}.dto.js';
import { ${One} } from './${singular}.entity.js';

${
  callers
    ? access === 'owner'
      ? `/** Every method is for one caller: ${plural.replaceAll('-', ' ')} of others count as not existing. */\n`
      : `/** Read by others, too. Only the caller's own are changed: to change those of others counts as not existing. */\n`
    : ''
}@Injectable()
export class ${Many}Service {
  constructor(@InjectRepository(${One}) private readonly ${many}: Repository<${One}>) {}

  /** Newest first. @throws ClientError 422 on a bad cursor${reads.own ? `, 404 \`${singular}-not-found\`` : ''} */
  async list(${reads.asked}${first.property}: string, { limit, cursor }: PageQuery): Promise<Page<${One}Dto>> {
${reads.own}    const [time, id] = decodeCursor<[string, string]>(cursor, ['time', 'uuid']) ?? [];
    const query = this.${many}.createQueryBuilder('${one}').where({ ${first.property} });
    if (id !== undefined)
      query.andWhere('(${one}.createdAt, ${one}.${second.property}) < (:time, :id)', { time, id });
    const rows = await query
      .orderBy('${one}.createdAt', 'DESC')
      .addOrderBy('${one}.${second.property}', 'DESC')
      .limit(limit + 1)
      .getMany();
    return pageOf(rows, limit, ({ createdAt, ${second.property} }) => [createdAt.toISOString(), ${second.property}], present);
  }

${missing}  async get(${reads.asked}${ids}): Promise<${One}Dto> {
${reads.own}    const ${one} = await this.${many}.findOneBy(${pair});
    if (!${one}) throw ${one}NotFound();
    return present(${one});
  }

  /**
   * In one statement, so that requests at the same time make one row.
   * @returns whether it is new${callers ? `\n   * @throws ClientError 404 \`${singular}-not-found\`` : ''}
   */
  async put(${asked}${ids}${has ? `, fields: ${One}FieldsDto` : ''}): Promise<boolean> {
${own}    const insert = this.${many}
      .createQueryBuilder()
      .insert()
      .values({ ${first.property}, ${second.property}${has ? ', ...columnsOf(fields)' : ''} });
${
  has
    ? `    // PostgreSQL sets xmax where it has updated a row that was there.
    const put = insert
      .orUpdate([${columns.join(', ')}], ['${first.column}', '${second.column}'])
      .returning('(xmax = 0) AS created');
    const { raw } = (await put.execute()) as { raw: { created: boolean }[] };
    return raw[0]!.created;
`
    : `    const { raw } = (await insert.orIgnore().returning('${second.column}').execute()) as { raw: unknown[] };
    return raw.length > 0;
`
}  }

  /** Also where there is none. ${callers ? `@throws ClientError 404 \`${singular}-not-found\` ` : ''}*/
  async delete(${asked}${ids}): Promise<void> {
${own}    await this.${many}.delete(${pair});
  }
}

${
  callers
    ? `function requireOwn(caller: string, ${callers.property}: string): void {
  if (${callers.property} !== caller) throw ${one}NotFound();
}

`
    : ''
}${has ? columnsFunction(join) : ''}function present(${one}: ${One}): ${One}Dto {
  return {
    ${first.property}: ${one}.${first.property},
    ${second.property}: ${one}.${second.property},
${fields.map((field) => `    ${toDto(one, field)},\n`).join('')}    createdAt: ${one}.createdAt.toISOString(),
  };
}

function ${one}NotFound(): ClientError {
  return new ClientError({
    status: 404,
    /** There is no ${words} with these ids${callers ? `, or it is another caller's` : ''}. */
    code: '${singular}-not-found',
    detail: 'There is no such ${words}.',
  });
}
`;
}
