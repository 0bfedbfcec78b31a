import { withArticle } from '../lib/names.ts';
import { cachedAnswer } from './cached.ts';
import {
  createClass,
  keyOf,
  readScopes,
  routeOf,
  writeScopes,
  type Feature,
  type Scope,
  paging,
} from './feature.ts';
import { hasQuery } from './list.ts';
import { isOwnReference } from './table.ts';

/** The controller: routes, with all that they answer. */
export function controller(feature: Feature): string {
  const { names, fields, owner, access, idempotent, parent, titled, cached } = feature;
  const key = keyOf(feature);
  const keyed = titled ? `@StringParam('slug', SLUG) slug: string` : `@UuidParam('id') id: string`;
  const {
    pascal: One,
    pascalPlural: Many,
    camel: one,
    camelPlural: many,
    plural,
    singular,
    words,
    wordsPlural,
  } = names;
  const create = createClass(feature);
  const query = hasQuery(feature) ? `${One}Query` : paging(feature).query;
  const conflicts = (later: boolean): string =>
    fields.some(({ unique, immutable }) => unique && !(later && immutable)) ? '409, ' : '';
  const open = access === 'public' || access === 'optional';
  const asks = access === 'optional';
  const bearer = open ? '  @ApiBearerAuth()\n' : '';
  const reads = {
    taken: `${parametersOf(readScopes(feature), parent?.camel)}${asks ? '@OptionalCaller() viewer: Caller | undefined, ' : ''}`,
    passed: `${argumentsOf(readScopes(feature))}${asks ? 'viewer?.userId, ' : ''}`,
  };
  const writes = {
    taken: parametersOf(writeScopes(feature), parent?.camel),
    passed: argumentsOf(writeScopes(feature)),
  };
  const reading = asks ? '' : open ? '  @Public()\n' : access === 'admin' ? `  @RequireRole('admin')\n` : '';
  const readProblems = asks ? '401, ' : open ? '' : access === 'admin' ? '401, 403, ' : '401, ';
  const writing = (owner ? '' : `  @RequireRole('admin')\n`) + bearer;
  const writeProblems = owner ? '401, ' : '401, 403, ';
  const missing = `{ 404: '${singular}-not-found' }`;
  const whose = access === 'owner' ? ' of the caller' : parent ? ` of ${withArticle(parent.words)}` : '';
  const imports = [
    'ApiAnswer',
    paging(feature).decorator,
    'ApiProblems',
    ...(owner ? ['CurrentCaller'] : []),
    ...(asks ? ['OptionalCaller'] : []),
    ...(cached ? ['isNotModified'] : []),
    ...(hasQuery(feature) ? [] : [query]),
    'Priority',
    ...(open && !asks ? ['Public'] : []),
    ...(owner && access !== 'admin' ? [] : ['RequireRole']),
    ...(titled ? ['StringParam'] : []),
    ...(titled && !parent ? [] : ['UuidParam']),
    ...(owner ? ['type Caller'] : []),
    `type ${paging(feature).answer}`,
  ];
  const location = routeOf(feature).replace(`:${parent?.camel}Id`, `\${${parent?.camel}Id}`);
  return `import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, Query, ${cached ? 'Req, ' : ''}Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply${cached ? ', FastifyRequest' : ''} } from 'fastify';
${cached ? `import { staleStatus } from '../../platform/cache/index.js';\n` : ''}import { ${imports.join(', ')} } from '../../platform/http/index.js';
${idempotent ? `import { Idempotency, IdempotencyKeyHeader, sendAnswer, type IdempotentRequest } from '../../platform/idempotency/index.js';\n` : ''}${create.name === `${One}FieldsDto` ? '' : `import { ${create.name} } from './dto/${create.file}.dto.js';\n`}import { ${One}FieldsDto } from './dto/${singular}-fields.dto.js';
${!hasQuery(feature) ? '' : `import { ${query} } from './dto/${singular}-query.dto.js';\n`}import { ${One}Dto } from './dto/${singular}.dto.js';
${titled ? `import { SLUG } from './${singular}-slug.js';\n` : ''}import { ${Many}Service } from './${plural}.service.js';

@ApiTags('${plural}')
${open ? '' : '@ApiBearerAuth()\n'}@Controller('${routeOf(feature)}')
export class ${Many}Controller {
  constructor(private readonly ${many}: ${Many}Service${idempotent ? ', private readonly idempotency: Idempotency' : ''}) {}

  @Get()
  @Priority('low')
${reading}  @ApiOperation({ operationId: 'list${Many}', summary: '${whose ? `${capital(wordsPlural)}${whose}` : `All ${wordsPlural}`}, newest first' })
  @${paging(feature).decorator}(${One}Dto)
  @ApiProblems(${readProblems}422)
  list(${reads.taken}@Query() query: ${query}): Promise<${paging(feature).answer}<${One}Dto>> {
    return this.${many}.list(${reads.passed}query);
  }

  @Get(':${key}')
${cached ? `  @Priority('normal', { cached: true })\n` : ''}${reading}  @ApiOperation({ operationId: 'get${One}', summary: 'One ${words}${whose}' })
  @ApiAnswer(200, ${One}Dto, ['ETag'])
${cached ? '  @ApiAnswer(304)\n' : ''}  @ApiProblems(${readProblems}422, ${missing})
  async get(
    ${reads.taken}
    ${keyed},
${
  cached
    ? cachedAnswer(feature)
    : `    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<${One}Dto> {
    const { etag, ${one} } = await this.${many}.get(${reads.passed}${key});
    reply.header('ETag', etag);
    return ${one};
  }
`
}
  @Post()
${writing}  @ApiOperation({ operationId: 'create${One}', summary: 'Add ${withArticle(words)}' })
${
  idempotent
    ? `  @ApiAnswer(201, ${One}Dto, ['Location', 'ETag', 'Idempotency-Replayed'])
  @ApiProblems(400, ${writeProblems}409, 413, 415, 422)
  async create(
    @IdempotencyKeyHeader() request: IdempotentRequest,
    ${writes.taken}
    @Body() fields: ${create.name},
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = await this.idempotency.once(request, async () => {
      const { etag, ${one} } = await this.${many}.create(${writes.passed}fields);
      return { status: 201, headers: { Location: \`/${location}/\${${one}.${key}}\`, ETag: etag }, body: ${one} };
    });
    sendAnswer(reply, answer);
  }
`
    : `  @ApiAnswer(201, ${One}Dto, ['Location', 'ETag'])
  @ApiProblems(400, ${writeProblems}${conflicts(false)}413, 415, 422)
  async create(
    ${writes.taken}
    @Body() fields: ${create.name},
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<${One}Dto> {
    const { etag, ${one} } = await this.${many}.create(${writes.passed}fields);
    reply.header('Location', \`/${location}/\${${one}.${key}}\`).header('ETag', etag);
    return ${one};
  }
`
}
  @Put(':${key}')
${writing}  @ApiOperation({
    operationId: 'change${One}',
    summary: 'Change ${withArticle(words)}${whose}, if it is still the version that was read',
  })
  @ApiAnswer(200, ${One}Dto, ['ETag'])
  @ApiProblems(400, ${writeProblems}${conflicts(true)}412, 413, 415, 422, 428, ${missing})
  async change(
    ${writes.taken}
    ${keyed},
    @Headers('if-match') ifMatch: string | undefined,
    @Body() fields: ${One}FieldsDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<${One}Dto> {
    const { etag, ${one} } = await this.${many}.change(${writes.passed}${key}, ifMatch, fields);
    reply.header('ETag', etag);
    return ${one};
  }

  @Delete(':${key}')
  @HttpCode(204)
${writing}  @ApiOperation({ operationId: 'delete${One}', summary: 'Delete ${withArticle(words)}${whose}' })
  @ApiAnswer(204)
  @ApiProblems(${writeProblems}${fields.some((field) => isOwnReference(names, field)) ? '409, ' : ''}422, ${missing})
  async delete(${writes.taken}${keyed}): Promise<void> {
    await this.${many}.delete(${writes.passed}${key});
  }
}
`;
}

/** The parent is in the path, the owner is the caller. */
function parametersOf(scopes: Scope[], parent?: string): string {
  return scopes
    .map(({ property }) =>
      property === `${parent}Id`
        ? `@UuidParam('${property}') ${property}: string, `
        : '@CurrentCaller() { userId }: Caller, ',
    )
    .join('');
}

function argumentsOf(scopes: Scope[]): string {
  return scopes.map(({ property }) => `${property}, `).join('');
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
