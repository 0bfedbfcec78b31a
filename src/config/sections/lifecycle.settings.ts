import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class LifecycleSettings {
  @Setting('SHUTDOWN_DRAIN_DELAY_MS', {
    default: 5000,
    describe: 'How long the api goes on serving after SIGTERM, while load balancers take notice.',
  })
  @IsInt()
  @Min(0)
  @Max(300_000)
  drainDelayMs!: number;

  @Setting('SHUTDOWN_TIMEOUT_MS', {
    default: 25_000,
    describe: 'Everything of a shutdown, drain delay included, ends within this; then the process exits 1.',
  })
  @IsInt()
  @Min(100)
  @Max(600_000)
  timeoutMs!: number;
}
