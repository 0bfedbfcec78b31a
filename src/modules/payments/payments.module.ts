import { Module } from '@nestjs/common';
import { makeCounterProvider } from '@willsoto/nestjs-prometheus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IdempotencyModule } from '../../platform/idempotency/index.js';
import { MessagingModule } from '../../platform/messaging/index.js';
import { OrdersModule } from '../orders/index.js';
import { PaymentDisputes } from './payment-disputes.js';
import { PaymentProviderClient } from './payment-provider.client.js';
import { PaymentReconciliation } from './payment-reconciliation.js';
import { DISPUTES, PaymentSettlement } from './payment-settlement.service.js';
import { PaymentWebhooksController } from './payment-webhooks.controller.js';
import { PaymentWebhooksService } from './payment-webhooks.service.js';
import { Payment } from './payment.entity.js';
import { PaymentsController } from './payments.controller.js';
import { paymentDeclined, paymentSucceeded } from './payments.events.js';
import { PaymentsRepository } from './payments.repository.js';
import { PaymentsService } from './payments.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Payment]),
    MessagingModule.forFeature({ events: [paymentSucceeded, paymentDeclined] }),
    IdempotencyModule,
    OrdersModule,
  ],
  controllers: [PaymentsController, PaymentWebhooksController],
  providers: [
    PaymentsService,
    PaymentsRepository,
    PaymentProviderClient,
    PaymentSettlement,
    PaymentDisputes,
    PaymentWebhooksService,
    PaymentReconciliation,
    makeCounterProvider({
      name: DISPUTES,
      help: 'Payments for which the provider charged another amount than that of the order, or contradicted an earlier outcome.',
      labelNames: ['reason'],
    }),
  ],
})
export class PaymentsModule {}
