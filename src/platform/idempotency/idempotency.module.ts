import { Global, Module } from '@nestjs/common';
import { DatabaseModule } from '../database/index.js';
import { IdempotencyRecord } from './idempotency-record.entity.js';
import { IdempotencyRepository } from './idempotency.repository.js';
import { Idempotency } from './idempotency.service.js';
import { IdempotencySweeper } from './idempotency.sweeper.js';

/** `Idempotency` for every feature; the worker also sweeps what has expired. */
@Global()
@Module({
  imports: [DatabaseModule.forFeature([IdempotencyRecord])],
  providers: [Idempotency, IdempotencyRepository, IdempotencySweeper],
  exports: [Idempotency],
})
export class IdempotencyModule {}
