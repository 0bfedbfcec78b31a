import { Body, Controller, Get, Post, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiAnswer,
  ApiProblems,
  CurrentCaller,
  UuidParam,
  type Caller,
  Priority,
} from '../../platform/http/index.js';
import {
  Idempotency,
  IdempotencyKeyHeader,
  sendAnswer,
  type IdempotentRequest,
} from '../../platform/idempotency/index.js';
import { PaymentDto } from './dto/payment.dto.js';
import { StartPaymentDto } from './dto/start-payment.dto.js';
import { PaymentsService } from './payments.service.js';

@ApiTags('payments')
@ApiBearerAuth()
@Controller('v1/orders/:id/payments')
export class PaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Priority('critical')
  @ApiOperation({ operationId: 'payOrder', summary: 'Pay an order' })
  @ApiAnswer(201, PaymentDto, ['Location', 'Idempotency-Replayed'])
  @ApiAnswer(202, PaymentDto, ['Location', 'Idempotency-Replayed'])
  @ApiProblems(400, 401, 413, 415, 422, {
    402: 'payment-declined',
    404: 'order-not-found',
    409: ['order-not-payable', 'payment-in-progress'],
    422: 'payment-method-refused',
  })
  async pay(
    @IdempotencyKeyHeader() request: IdempotentRequest,
    @UuidParam('id') orderId: string,
    @CurrentCaller() caller: Caller,
    @Body() { paymentMethod }: StartPaymentDto,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const payment = this.payments.payment(orderId, caller.userId, paymentMethod);
    sendAnswer(reply, await this.idempotency.resumable(request, payment));
  }

  @Get(':paymentId')
  @ApiOperation({ operationId: 'getPayment', summary: 'One payment and its status' })
  @ApiAnswer(200, PaymentDto)
  @ApiProblems(401, 422, { 404: 'payment-not-found' })
  get(
    @UuidParam('id') orderId: string,
    @UuidParam('paymentId') id: string,
    @CurrentCaller() caller: Caller,
  ): Promise<PaymentDto> {
    return this.payments.get(orderId, id, caller);
  }
}
