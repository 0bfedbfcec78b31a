import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class MessagingSettings {
  @Setting('OUTBOX_POLL_INTERVAL_MS', {
    default: 50,
    describe: 'How often an idle relay checks for new events.',
  })
  @IsInt()
  @Min(5)
  @Max(60_000)
  pollIntervalMs!: number;

  @Setting('OUTBOX_BATCH_SIZE', {
    default: 500,
    describe: 'Maximum number of events that the relay moves in one batch.',
  })
  @IsInt()
  @Min(1)
  @Max(10_000)
  batchSize!: number;

  @Setting('OUTBOX_REDELIVERY_AFTER_MS', {
    default: 30_000,
    describe: 'Age at which a relayed event is relayed again if no consumer has recorded it.',
  })
  @IsInt()
  @Min(500)
  @Max(3_600_000)
  redeliveryAfterMs!: number;

  @Setting('OUTBOX_RETENTION_HOURS', { default: 24, describe: 'How long handled events are kept.' })
  @IsInt()
  @Min(1)
  @Max(8760)
  retentionHours!: number;

  @Setting('WORKER_CONCURRENCY', {
    default: 10,
    describe: 'Concurrent jobs per worker process and queue.',
  })
  @IsInt()
  @Min(1)
  @Max(1000)
  concurrency!: number;

  @Setting('JOB_ATTEMPTS', { default: 12, describe: 'Attempts before a failing job becomes a dead letter.' })
  @IsInt()
  @Min(1)
  @Max(1000)
  attempts!: number;

  @Setting('JOB_BACKOFF_MS', {
    default: 500,
    describe: 'First step of the full-jitter backoff between attempts.',
  })
  @IsInt()
  @Min(1)
  @Max(600_000)
  backoffMs!: number;

  @Setting('JOB_BACKOFF_MAX_MS', { default: 30_000, describe: 'Longest wait between attempts.' })
  @IsInt()
  @Min(1)
  @Max(3_600_000)
  backoffMaxMs!: number;
}
