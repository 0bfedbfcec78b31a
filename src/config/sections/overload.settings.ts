import { IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class OverloadSettings {
  @Setting('OVERLOAD_MAX_IN_FLIGHT', {
    default: 400,
    describe:
      'Maximum number of requests in flight per process; beyond it the least important are answered 503 first.',
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  maxInFlight!: number;

  @Setting('OVERLOAD_EVENT_LOOP_DELAY_MS', {
    default: 100,
    describe: 'Event-loop delay above which the process accepts fewer requests.',
  })
  @IsInt()
  @Min(5)
  @Max(10_000)
  eventLoopDelayMs!: number;

  @Setting('OUTBOX_MAX_BACKLOG', {
    default: 100_000,
    describe:
      'Maximum number of events that wait for the relay; beyond it requests that would announce more are answered 503.',
  })
  @IsInt()
  @Min(1)
  @Max(100_000_000)
  outboxMaxBacklog!: number;
}
