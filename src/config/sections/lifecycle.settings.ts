import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class LifecycleSettings {
  @Setting('SHUTDOWN_DRAIN_DELAY_MS', {
    default: 5000,
    describe: 'How long the api keeps serving after SIGTERM, so that load balancers can notice.',
  })
  @IsInt()
  @Min(0)
  @Max(300_000)
  drainDelayMs!: number;

  @Setting('SHUTDOWN_TIMEOUT_MS', {
    default: 25_000,
    describe:
      'Maximum duration of a shutdown, including the drain delay; after it the process exits with code 1.',
  })
  @IsInt()
  @Min(100)
  @Max(600_000)
  timeoutMs!: number;
}
