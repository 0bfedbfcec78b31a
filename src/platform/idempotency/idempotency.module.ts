import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IdempotencyRecord } from './idempotency-record.entity.js';
import { IdempotencyRepository } from './idempotency.repository.js';
import { Idempotency } from './idempotency.service.js';
import { IdempotencySweeper } from './idempotency.sweeper.js';

/** `Idempotency`, for the features that import it; the worker also sweeps expired records. */
@Module({
  imports: [TypeOrmModule.forFeature([IdempotencyRecord])],
  providers: [Idempotency, IdempotencyRepository, IdempotencySweeper],
  exports: [Idempotency],
})
export class IdempotencyModule {}
