import { Readable } from 'node:stream';
import { Body, Controller, Get, Headers, HttpCode, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { staleStatus, type Cached } from '../../../src/platform/cache/index.js';
import { ClientError } from '../../../src/platform/errors/index.js';
import {
  ApiAnswer,
  ApiPage,
  ApiProblems,
  CurrentCaller,
  isNotModified,
  PageQuery,
  Priority,
  Public,
  strongTags,
  UuidParam,
  type Caller,
} from '../../../src/platform/http/index.js';
import { AccountsService, type Rendered } from './accounts.service.js';
import { AccountDto, ChangeAccountDto, OpenAccountDto } from './ledger.dto.js';

const JSON_TYPE = 'application/json; charset=utf-8';

@ApiTags('accounts')
@Controller('v1/accounts')
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Get()
  @Public()
  @Priority('low', { cached: true })
  @ApiOperation({ operationId: 'listAccounts', summary: 'All accounts, newest first' })
  @ApiPage(AccountDto)
  @ApiAnswer(304)
  @ApiProblems(422)
  async list(@Query() query: PageQuery, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    answer(request, reply, await this.accounts.page(query));
  }

  @Get(':id')
  @Public()
  @Priority('normal', { cached: true })
  @ApiOperation({ operationId: 'getAccount', summary: 'One account' })
  @ApiAnswer(200, AccountDto, ['ETag'])
  @ApiAnswer(304)
  @ApiProblems(422, { 404: 'account-not-found' })
  async get(@UuidParam('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    answer(request, reply, await this.accounts.find(id));
  }

  @Post()
  @ApiBearerAuth()
  @ApiOperation({ operationId: 'openAccount', summary: 'Open an account' })
  @ApiAnswer(201, AccountDto, ['Location', 'ETag'])
  @ApiProblems(400, 401, 413, 415, 422)
  async open(@CurrentCaller() caller: Caller, @Body() body: OpenAccountDto, @Res() reply: FastifyReply) {
    const account = await this.accounts.open(caller.userId, body);
    void reply.header('Location', `/v1/accounts/${account.id}`);
    send(reply, account);
  }

  @Patch(':id')
  @HttpCode(200)
  @ApiBearerAuth()
  @ApiOperation({
    operationId: 'changeAccount',
    summary: 'Change an account of the caller, if it is still the version that was read',
  })
  @ApiAnswer(200, AccountDto, ['ETag'])
  @ApiProblems(400, 401, 412, 413, 415, 422, 428, { 404: 'account-not-found' })
  async change(
    @CurrentCaller() caller: Caller,
    @UuidParam('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: ChangeAccountDto,
    @Res() reply: FastifyReply,
  ) {
    send(reply, await this.accounts.change(caller.userId, id, versionsIn(ifMatch), body));
  }

  @Get(':id/statement')
  @Priority('low')
  @ApiBearerAuth()
  @ApiOperation({
    operationId: 'downloadStatement',
    summary: 'All transfers from an account of the caller, as CSV',
  })
  @ApiResponse({ status: 200, description: '', content: { 'text/csv': { schema: { type: 'string' } } } })
  @ApiProblems(401, 406, 422, { 404: 'account-not-found' })
  async statement(@CurrentCaller() caller: Caller, @UuidParam('id') id: string, @Res() reply: FastifyReply) {
    const lines = await this.accounts.statement(caller.userId, id);
    void reply.type('text/csv; charset=utf-8').send(Readable.from(lines));
  }
}

function send(reply: FastifyReply, { etag, body }: Rendered): void {
  void reply.header('ETag', etag).type(JSON_TYPE).send(body);
}

function answer(request: FastifyRequest, reply: FastifyReply, cached: Cached<Rendered>): void {
  void reply.header('Cache-Control', 'no-cache');
  if (cached.stale) void reply.header('Cache-Status', staleStatus(cached));
  if (isNotModified(request, cached.value.etag))
    void reply.header('ETag', cached.value.etag).code(304).send();
  else send(reply, cached.value);
}

/** The versions that an `If-Match` names; undefined for `*`. */
function versionsIn(ifMatch: string | undefined): number[] | undefined {
  if (ifMatch === undefined) {
    throw new ClientError({
      status: 428,
      code: 'precondition-required',
      detail: 'Send the ETag in If-Match.',
    });
  }
  const tags = strongTags(ifMatch);
  return tags === '*' ? undefined : tags.map((tag) => Number(tag.slice(2, -1))).filter(Number.isSafeInteger);
}
