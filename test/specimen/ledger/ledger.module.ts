import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../../../src/modules/users/index.js';
import { IdempotencyModule } from '../../../src/platform/idempotency/index.js';
import { MessagingModule } from '../../../src/platform/messaging/index.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { BankClient } from './bank.client.js';
import { Print } from './print.entity.js';
import { PrintsController } from './prints.controller.js';
import { PrintsProcessor } from './prints.processor.js';
import { PrintsService } from './prints.service.js';
import { TransfersController } from './transfers.controller.js';
import { ReceiptsProcessor } from './receipts.processor.js';
import { transferMade, TransfersService } from './transfers.service.js';
import { WithdrawalsController } from './withdrawals.controller.js';
import { WithdrawalsService } from './withdrawals.service.js';

/**
 * The one feature that exists for tests alone: it uses everything that the platform offers, so that tests of the platform
 * need no feature of the product and survive when the product is replaced. Never part of the image.
 */
@Module({
  imports: [
    MessagingModule.forFeature({ events: [transferMade], queues: ['receipts'] }),
    TypeOrmModule.forFeature([Print]),
    BullModule.registerQueue({ name: 'prints' }),
    IdempotencyModule,
    UsersModule,
  ],
  controllers: [AccountsController, TransfersController, WithdrawalsController, PrintsController],
  providers: [
    AccountsService,
    TransfersService,
    ReceiptsProcessor,
    WithdrawalsService,
    BankClient,
    PrintsService,
    PrintsProcessor,
  ],
})
export class LedgerModule {}
