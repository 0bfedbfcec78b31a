export type { Answer, RecordedAnswer } from './answer.js';
export { IdempotencyModule } from './idempotency.module.js';
export { Idempotency, type ResumableWork } from './idempotency.service.js';
export {
  IdempotencyKeyHeader,
  idempotentRequest,
  sendAnswer,
  type IdempotentRequest,
} from './idempotent-request.js';
