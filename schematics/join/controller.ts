import { routeOf } from '../feature/feature.ts';
import { withArticle } from '../lib/names.ts';
import type { Join, Side } from './join.ts';

/** The controller of a join: both ids are in the path. */
export function controller(join: Join): string {
  const { names, fields, first, second, callers, access } = join;
  const { pascal: One, pascalPlural: Many, camelPlural: many, plural, singular, words, wordsPlural } = names;
  const has = fields.length > 0;
  const open = access === 'public';
  const bearer = open ? '  @ApiBearerAuth()\n' : '';
  const reading = open ? '  @Public()\n' : access === 'admin' ? `  @RequireRole('admin')\n` : '';
  const writing = (callers ? '' : `  @RequireRole('admin')\n`) + bearer;
  const readProblems = { public: '', caller: '401, ', owner: '401, ', admin: '401, 403, ' }[access];
  const writeProblems = callers ? '401, ' : '401, 403, ';
  const missing = `{ 404: '${singular}-not-found' }`;
  const whose = callers ? `, ${missing}` : '';
  const ids = [first, second].map(parameterOf);
  const caller = '@CurrentCaller() { userId: caller }: Caller, ';
  const write = callers ? { taken: caller, passed: 'caller, ' } : { taken: '', passed: '' };
  const read = access === 'owner' ? write : { taken: '', passed: '' };
  const both = `${first.property}, ${second.property}`;
  const imports = [
    'ApiAnswer',
    'ApiPage',
    'ApiProblems',
    ...(callers ? ['CurrentCaller'] : []),
    'PageQuery',
    'Priority',
    ...(open ? ['Public'] : []),
    ...(callers && access !== 'admin' ? [] : ['RequireRole']),
    'UuidParam',
    ...(callers ? ['type Caller'] : []),
    'type Page',
  ];
  return `import { ${has ? 'Body, ' : ''}Controller, Delete, Get, HttpCode, Put, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ${imports.join(', ')} } from '../../platform/http/index.js';
${has ? `import { ${One}FieldsDto } from './dto/${singular}-fields.dto.js';\n` : ''}import { ${One}Dto } from './dto/${singular}.dto.js';
import { ${Many}Service } from './${plural}.service.js';

@ApiTags('${plural}')
${open ? '' : '@ApiBearerAuth()\n'}@Controller('${routeOf(join)}')
export class ${Many}Controller {
  constructor(private readonly ${many}: ${Many}Service) {}

  @Get()
  @Priority('low')
${reading}  @ApiOperation({ operationId: 'list${Many}', summary: '${capital(wordsPlural)} of ${withArticle(first.names.words)}, newest first' })
  @ApiPage(${One}Dto)
  @ApiProblems(${readProblems}422${read.taken && whose})
  list(${read.taken}${ids[0]}@Query() query: PageQuery): Promise<Page<${One}Dto>> {
    return this.${many}.list(${read.passed}${first.property}, query);
  }

  @Get(':${second.property}')
${reading}  @ApiOperation({ operationId: 'get${One}', summary: 'The ${words} of ${withArticle(first.names.words)} and ${withArticle(second.names.words)}' })
  @ApiAnswer(200, ${One}Dto)
  @ApiProblems(${readProblems}422, ${missing})
  get(${read.taken}${ids.join('')}): Promise<${One}Dto> {
    return this.${many}.get(${read.passed}${both});
  }

  @Put(':${second.property}')
${writing}  @ApiOperation({ operationId: 'put${One}', summary: '${has ? 'Set or change' : 'Set'} the ${words}: 201 where there was none, 204 where there was' })
  @ApiAnswer(201)
  @ApiAnswer(204)
  @ApiProblems(${has ? '400, ' : ''}${writeProblems}${has ? '413, 415, 422' : `422, { 422: 'unknown-reference' }`}${whose})
  async put(${write.taken}${ids.join('')}${has ? `@Body() fields: ${One}FieldsDto, ` : ''}@Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const created = await this.${many}.put(${write.passed}${both}${has ? ', fields' : ''});
    reply.code(created ? 201 : 204);
  }

  @Delete(':${second.property}')
  @HttpCode(204)
${writing}  @ApiOperation({ operationId: 'delete${One}', summary: 'Take the ${words} away, if there is one' })
  @ApiAnswer(204)
  @ApiProblems(${writeProblems}422${whose})
  async delete(${write.taken}${ids.join('')}): Promise<void> {
    await this.${many}.delete(${write.passed}${both});
  }
}
`;
}

function parameterOf({ property }: Side): string {
  return `@UuidParam('${property}') ${property}: string, `;
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
