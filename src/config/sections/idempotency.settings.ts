import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class IdempotencySettings {
  @Setting('IDEMPOTENCY_RETENTION_HOURS', {
    default: 24,
    describe: 'How long an answer is kept for its Idempotency-Key.',
  })
  @IsInt()
  @Min(1)
  @Max(8760)
  retentionHours!: number;
}
