import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { Setting } from '../setting.decorator.js';

export class RateLimitSettings {
  @Setting('RATE_LIMIT_ENABLED', {
    default: true,
    describe: 'Rate limiting; cannot be turned off in production.',
  })
  @IsBoolean()
  enabled!: boolean;

  @Setting('RATE_LIMIT_REQUESTS', {
    default: 600,
    describe: 'Requests per caller and window, over all instances.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000_000)
  requests!: number;

  @Setting('RATE_LIMIT_CALLERS_PER_NETWORK', {
    default: 10,
    describe:
      'Limit for all users of one network (IPv4 address, IPv6 /64) together, as a multiple of that of one user: one person can create many accounts. Raise it if many users share an address.',
  })
  @IsInt()
  @Min(1)
  @Max(100_000)
  callersPerNetwork!: number;

  @Setting('RATE_LIMIT_WINDOW_SECONDS', { default: 60, describe: 'Window of the rate limit.' })
  @IsInt()
  @Min(1)
  @Max(86_400)
  windowSeconds!: number;
}
