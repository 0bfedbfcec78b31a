import { Body, Controller, Get, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiAnswer,
  ApiProblems,
  CurrentCaller,
  Priority,
  UuidParam,
  type Caller,
} from '../../../src/platform/http/index.js';
import {
  Idempotency,
  IdempotencyKeyHeader,
  sendAnswer,
  type IdempotentRequest,
} from '../../../src/platform/idempotency/index.js';
import { WithdrawalDto, WithdrawDto } from './ledger.dto.js';
import { WithdrawalsService } from './withdrawals.service.js';

@ApiTags('withdrawals')
@ApiBearerAuth()
@Controller('v1/accounts/:id/withdrawals')
export class WithdrawalsController {
  constructor(
    private readonly withdrawals: WithdrawalsService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Priority('critical')
  @ApiOperation({ operationId: 'withdraw', summary: 'Pay out money from an account of the caller' })
  @ApiAnswer(201, WithdrawalDto, ['Location', 'Idempotency-Replayed'])
  @ApiAnswer(202, WithdrawalDto, ['Location', 'Idempotency-Replayed'])
  @ApiProblems(400, 401, 413, 415, 422, {
    402: 'withdrawal-declined',
    404: 'account-not-found',
    409: 'insufficient-funds',
    422: 'method-refused',
  })
  async withdraw(
    @IdempotencyKeyHeader() request: IdempotentRequest,
    @UuidParam('id') accountId: string,
    @CurrentCaller() caller: Caller,
    @Body() body: WithdrawDto,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const withdrawal = this.withdrawals.withdrawal(caller.userId, accountId, body);
    sendAnswer(reply, await this.idempotency.resumable(request, withdrawal));
  }

  @Get(':withdrawalId')
  @ApiOperation({ operationId: 'getWithdrawal', summary: 'One withdrawal and its status' })
  @ApiAnswer(200, WithdrawalDto)
  @ApiProblems(401, 422, { 404: 'withdrawal-not-found' })
  get(
    @UuidParam('id') accountId: string,
    @UuidParam('withdrawalId') id: string,
    @CurrentCaller() caller: Caller,
  ): Promise<WithdrawalDto> {
    return this.withdrawals.get(caller.userId, accountId, id);
  }
}
