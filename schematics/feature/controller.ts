import { withArticle } from '../lib/names.ts';
import { createClass, type Feature } from './feature.ts';
import { hasQuery } from './list.ts';

/** The controller: routes, with all that they answer. */
export function controller(feature: Feature): string {
  const { names, fields, owner } = feature;
  const create = createClass(feature);
  const query = hasQuery(feature) ? `${names.pascal}Query` : 'PageQuery';
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
  const caller = owner ? '@CurrentCaller() { userId }: Caller, ' : '';
  const pass = owner ? 'userId, ' : '';
  const writes = owner ? '' : `  @RequireRole('admin')\n`;
  const forbidden = owner ? '' : '403, ';
  const conflicts = fields.some(({ unique }) => unique) ? '409, ' : '';
  const conflictsLater = fields.some(({ unique, immutable }) => unique && !immutable) ? '409, ' : '';
  const ofCaller = owner ? ' of the caller' : '';
  return `import { Body, Controller, Delete, Get, Headers, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiAnswer,
  ApiPage,
  ApiProblems,
${owner ? '  CurrentCaller,\n' : ''}  ${query === 'PageQuery' ? 'PageQuery,\n  ' : ''}Priority,
${owner ? '' : '  RequireRole,\n'}  UuidParam,
${owner ? '  type Caller,\n' : ''}  type Page,
} from '../../platform/http/index.js';
${create.name === `${One}FieldsDto` ? '' : `import { ${create.name} } from './dto/${create.file}.dto.js';\n`}import { ${One}FieldsDto } from './dto/${singular}-fields.dto.js';
${query === 'PageQuery' ? '' : `import { ${query} } from './dto/${singular}-query.dto.js';\n`}import { ${One}Dto } from './dto/${singular}.dto.js';
import { ${Many}Service } from './${plural}.service.js';

@ApiTags('${plural}')
@ApiBearerAuth()
@Controller('v1/${plural}')
export class ${Many}Controller {
  constructor(private readonly ${many}: ${Many}Service) {}

  @Get()
  @Priority('low')
  @ApiOperation({ operationId: 'list${Many}', summary: '${owner ? `${capital(wordsPlural)} of the caller` : `All ${wordsPlural}`}, ${query === 'PageQuery' ? 'newest first' : 'by default newest first'}' })
  @ApiPage(${One}Dto)
  @ApiProblems(401, 422)
  list(${caller}@Query() query: ${query}): Promise<Page<${One}Dto>> {
    return this.${many}.list(${pass}query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'get${One}', summary: 'One ${words}${ofCaller}' })
  @ApiAnswer(200, ${One}Dto, ['ETag'])
  @ApiProblems(401, 404, 422)
  async get(
    ${caller}
    @UuidParam('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<${One}Dto> {
    const { etag, ${one} } = await this.${many}.get(${pass}id);
    reply.header('ETag', etag);
    return ${one};
  }

  @Post()
${writes}  @ApiOperation({ operationId: 'create${One}', summary: 'Add ${withArticle(words)}' })
  @ApiAnswer(201, ${One}Dto, ['Location', 'ETag'])
  @ApiProblems(400, 401, ${forbidden}${conflicts}413, 415, 422)
  async create(
    ${caller}
    @Body() fields: ${create.name},
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<${One}Dto> {
    const { etag, ${one} } = await this.${many}.create(${pass}fields);
    reply.header('Location', \`/v1/${plural}/\${${one}.id}\`).header('ETag', etag);
    return ${one};
  }

  @Put(':id')
${writes}  @ApiOperation({
    operationId: 'change${One}',
    summary: 'Change ${withArticle(words)}${ofCaller}, if it is still the version that was read',
  })
  @ApiAnswer(200, ${One}Dto, ['ETag'])
  @ApiProblems(400, 401, ${forbidden}404, ${conflictsLater}412, 413, 415, 422, 428)
  async change(
    ${caller}
    @UuidParam('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() fields: ${One}FieldsDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<${One}Dto> {
    const { etag, ${one} } = await this.${many}.change(${pass}id, ifMatch, fields);
    reply.header('ETag', etag);
    return ${one};
  }

  @Delete(':id')
  @HttpCode(204)
${writes}  @ApiOperation({ operationId: 'delete${One}', summary: 'Delete ${withArticle(words)}${ofCaller}' })
  @ApiAnswer(204)
  @ApiProblems(401, ${forbidden}404, 422)
  async delete(${caller}@UuidParam('id') id: string): Promise<void> {
    await this.${many}.delete(${pass}id);
  }
}
`;
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
