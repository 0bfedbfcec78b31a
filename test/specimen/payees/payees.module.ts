import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PayeeChecksProcessor } from './payee-checks.processor.js';
import { Payee } from './payee.entity.js';
import { PayeesController } from './payees.controller.js';
import { PayeesService } from './payees.service.js';

/**
 * A feature as the documentation of Nest has it: TypeORM and BullMQ, and of the platform only the decorators of its input. It gets
 * every promise all the same, which test/faults/plain-feature.spec.ts puts to the test.
 */
@Module({
  imports: [TypeOrmModule.forFeature([Payee]), BullModule.registerQueue({ name: 'payee-checks' })],
  controllers: [PayeesController],
  providers: [PayeesService, PayeeChecksProcessor],
})
export class PayeesModule {}
