import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IdempotencyModule } from '../../platform/idempotency/index.js';
import { MessagingModule } from '../../platform/messaging/index.js';
import { ProductsModule } from '../products/index.js';
import { OrderExportRepository } from './order-export.repository.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';
import { OrdersController } from './orders.controller.js';
import { orderCancelled, orderPlaced } from './orders.events.js';
import { OrdersRepository } from './orders.repository.js';
import { OrdersService } from './orders.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Order, OrderItem]),
    MessagingModule.forFeature({ events: [orderPlaced, orderCancelled] }),
    IdempotencyModule,
    ProductsModule,
  ],
  controllers: [OrdersController],
  providers: [OrdersService, OrdersRepository, OrderExportRepository],
  exports: [OrdersService],
})
export class OrdersModule {}
