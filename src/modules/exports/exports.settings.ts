import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../../config/index.js';

declare module '../../config/settings.js' {
  interface FeatureSettings {
    exports: ExportsSettings;
  }
}

export class ExportsSettings {
  @Setting('EXPORT_RETENTION_DAYS', { default: 7, describe: 'How long an export and its file are kept.' })
  @IsInt()
  @Min(1)
  @Max(3650)
  retentionDays!: number;

  @Setting('EXPORT_MAX_QUEUED', {
    default: 100,
    describe: 'Maximum number of unfinished exports of all callers; beyond it a new one is answered 503.',
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  maxQueued!: number;

  @Setting('EXPORT_MAX_QUEUED_PER_USER', {
    default: 5,
    describe: 'Maximum number of unfinished exports per caller; beyond it a new one is answered 429.',
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  maxQueuedPerUser!: number;

  @Setting('EXPORT_MAX_KEPT_PER_USER', {
    default: 100,
    describe:
      'Maximum number of exports kept per caller, finished or not; beyond it a new one is answered 429.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  maxKeptPerUser!: number;

  @Setting('EXPORT_ROWS_PER_SECOND', {
    default: 40_000,
    describe:
      'Maximum number of rows that an export writes per second, so that it does not slow down what shares its machine.',
  })
  @IsInt()
  @Min(100)
  @Max(10_000_000)
  rowsPerSecond!: number;
}
