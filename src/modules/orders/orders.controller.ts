import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiAnswer,
  ApiPage,
  ApiProblems,
  CurrentCaller,
  PageQuery,
  UuidParam,
  type Caller,
  type Page,
  Priority,
} from '../../platform/http/index.js';
import {
  Idempotency,
  IdempotencyKeyHeader,
  sendAnswer,
  type IdempotentRequest,
} from '../../platform/idempotency/index.js';
import { OrderDto } from './dto/order.dto.js';
import { PlaceOrderDto } from './dto/place-order.dto.js';
import { OrdersService } from './orders.service.js';

@ApiTags('orders')
@ApiBearerAuth()
@Controller('v1/orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @ApiOperation({ operationId: 'placeOrder', summary: 'Place an order and reserve its stock' })
  @ApiAnswer(201, OrderDto, ['Location', 'Idempotency-Replayed'])
  @ApiProblems(400, 401, 413, 415, 422, {
    409: 'insufficient-stock',
    422: ['unknown-product', 'mixed-currencies', 'order-too-large'],
  })
  async place(
    @IdempotencyKeyHeader() request: IdempotentRequest,
    @CurrentCaller() caller: Caller,
    @Body() { items }: PlaceOrderDto,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = await this.idempotency.once(request, async () => {
      const order = await this.orders.place(caller.userId, items);
      return { status: 201, headers: { Location: `/v1/orders/${order.id}` }, body: order };
    });
    sendAnswer(reply, answer);
  }

  @Get()
  @Priority('low')
  @ApiOperation({
    operationId: 'listOrders',
    summary: 'Orders of the caller, or of all users for admins, newest first',
  })
  @ApiPage(OrderDto)
  @ApiProblems(401, 422)
  list(@CurrentCaller() caller: Caller, @Query() query: PageQuery): Promise<Page<OrderDto>> {
    return this.orders.list(caller, query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getOrder', summary: 'One order' })
  @ApiAnswer(200, OrderDto)
  @ApiProblems(401, 422, { 404: 'order-not-found' })
  get(@UuidParam('id') id: string, @CurrentCaller() caller: Caller): Promise<OrderDto> {
    return this.orders.get(id, caller);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ operationId: 'cancelOrder', summary: 'Cancel a pending order' })
  @ApiAnswer(200, OrderDto)
  @ApiProblems(401, 422, { 404: 'order-not-found', 409: 'order-not-cancellable' })
  cancel(@UuidParam('id') id: string, @CurrentCaller() caller: Caller): Promise<OrderDto> {
    return this.orders.cancel(id, caller);
  }
}
