import { Body, Controller, Get, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiAnswer,
  ApiPage,
  ApiProblems,
  CurrentCaller,
  PageQuery,
  Priority,
  UuidParam,
  type Caller,
  type Page,
} from '../../../src/platform/http/index.js';
import {
  Idempotency,
  IdempotencyKeyHeader,
  sendAnswer,
  type IdempotentRequest,
} from '../../../src/platform/idempotency/index.js';
import { MakeTransferDto, TransferDto } from './ledger.dto.js';
import { TransfersService } from './transfers.service.js';

@ApiTags('transfers')
@ApiBearerAuth()
@Controller('v1/transfers')
export class TransfersController {
  constructor(
    private readonly transfers: TransfersService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @ApiOperation({ operationId: 'makeTransfer', summary: 'Transfer money from an account of the caller' })
  @ApiAnswer(201, TransferDto, ['Location', 'Idempotency-Replayed'])
  @ApiProblems(400, 401, 413, 415, 422, {
    404: 'account-not-found',
    409: ['insufficient-funds', 'mixed-currencies'],
    422: 'unknown-account',
  })
  async make(
    @IdempotencyKeyHeader() request: IdempotentRequest,
    @CurrentCaller() caller: Caller,
    @Body() body: MakeTransferDto,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = await this.idempotency.once(request, async () => {
      const transfer = await this.transfers.make(caller.userId, body);
      return { status: 201, headers: { Location: `/v1/transfers/${transfer.id}` }, body: transfer };
    });
    sendAnswer(reply, answer);
  }

  @Get()
  @Priority('low')
  @ApiOperation({ operationId: 'listTransfers', summary: 'Transfers of the caller, newest first' })
  @ApiPage(TransferDto)
  @ApiProblems(401, 422)
  list(@CurrentCaller() caller: Caller, @Query() query: PageQuery): Promise<Page<TransferDto>> {
    return this.transfers.list(caller.userId, query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getTransfer', summary: 'One transfer of the caller' })
  @ApiAnswer(200, TransferDto)
  @ApiProblems(401, 422, { 404: 'transfer-not-found' })
  get(@CurrentCaller() caller: Caller, @UuidParam('id') id: string): Promise<TransferDto> {
    return this.transfers.get(caller.userId, id);
  }
}
