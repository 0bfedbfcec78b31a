import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/index.js';
import { IdempotencyRecord } from './idempotency-record.entity.js';
import { IdempotencyRepository } from './idempotency.repository.js';
import { Idempotency } from './idempotency.service.js';
import { IdempotencySweeper } from './idempotency.sweeper.js';

/** `Idempotency`, for the features that import it; the worker also sweeps what has expired. */
@Module({
  imports: [DatabaseModule.forFeature([IdempotencyRecord])],
  providers: [Idempotency, IdempotencyRepository, IdempotencySweeper],
  exports: [Idempotency],
})
export class IdempotencyModule {}
