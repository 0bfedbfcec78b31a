import { Controller, HttpCode, Post, Req, UseInterceptors } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import { ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiAnswer, ApiProblems, Public, Priority } from '../../platform/http/index.js';
import { CountUnauthorised } from '../../platform/rate-limit/index.js';
import { PaymentWebhooksService } from './payment-webhooks.service.js';

@ApiTags('payments')
@Controller('v1/webhooks/payments')
export class PaymentWebhooksController {
  constructor(private readonly webhooks: PaymentWebhooksService) {}

  @Post()
  @Public()
  // All deliveries come from the provider's few addresses, one or more per payment; the signature excludes other senders.
  @SkipThrottle()
  @UseInterceptors(CountUnauthorised)
  @Priority('critical', { needsHeader: 'webhook-signature' })
  @HttpCode(204)
  @ApiOperation({
    operationId: 'receivePaymentWebhook',
    summary: 'The payment provider reports the outcome of a charge',
  })
  @ApiHeader({ name: 'webhook-id', required: true, schema: { type: 'string' } })
  @ApiHeader({
    name: 'webhook-timestamp',
    required: true,
    description: 'Unix seconds.',
    schema: { type: 'string' },
  })
  @ApiHeader({
    name: 'webhook-signature',
    required: true,
    description: '`v1,<base64>`',
    schema: { type: 'string' },
  })
  @ApiBody({
    schema: {
      type: 'object',
      required: ['type', 'data'],
      // The provider may add members that we do not read.
      additionalProperties: true,
      properties: { type: { type: 'string' }, data: { type: 'object', description: 'The charge.' } },
    },
  })
  @ApiAnswer(204)
  @ApiProblems(400, 413, 415, 422, { 401: 'invalid-signature' })
  async receive(@Req() { headers, rawBody = '' }: FastifyRequest): Promise<void> {
    const header = (name: string) => headers[name]?.toString();
    await this.webhooks.receive(
      {
        id: header('webhook-id'),
        timestamp: header('webhook-timestamp'),
        signature: header('webhook-signature'),
      },
      rawBody,
    );
  }
}
