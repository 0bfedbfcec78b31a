import { IsInt, Max, Min, MinLength } from 'class-validator';
import { PLACEHOLDER, Setting } from '../../config/index.js';

declare module '../../config/settings.js' {
  interface FeatureSettings {
    auth: AuthSettings;
  }
}

export class AuthSettings {
  @Setting('AUTH_TOKEN_SECRET', {
    default: `${PLACEHOLDER}token-secret-0000000000`,
    secret: true,
    describe: 'Key that signs access tokens (HS256).',
  })
  @MinLength(32)
  tokenSecret!: string;

  @Setting('AUTH_ACCESS_TOKEN_TTL_SECONDS', { default: 900, describe: 'Lifetime of an access token.' })
  @IsInt()
  @Min(10)
  @Max(86_400)
  accessTokenTtlSeconds!: number;

  @Setting('AUTH_REFRESH_TOKEN_TTL_SECONDS', {
    default: 2_592_000,
    describe: 'Lifetime of a session without a refresh.',
  })
  @IsInt()
  @Min(60)
  @Max(31_536_000)
  refreshTokenTtlSeconds!: number;

  @Setting('AUTH_MAX_SESSIONS_PER_USER', {
    default: 100,
    describe: 'Maximum number of sessions per user; a further login ends the least recently used one.',
  })
  @IsInt()
  @Min(1)
  @Max(10_000)
  maxSessionsPerUser!: number;

  @Setting('AUTH_LOGIN_MAX_FAILURES', {
    default: 5,
    describe:
      'Failed logins per account and network (IPv4 address, IPv6 /64; four times as many per /48) within the window before the answer is 429. After ten times as many from all networks, a third of it per network.',
  })
  @IsInt()
  @Min(1)
  @Max(1000)
  loginMaxFailures!: number;

  @Setting('AUTH_LOGIN_WINDOW_SECONDS', {
    default: 900,
    describe: 'Window in which failed logins are counted.',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  loginWindowSeconds!: number;

  @Setting('AUTH_REGISTRATIONS_PER_NETWORK', {
    default: 30,
    describe:
      'Registrations, successful or not, per network (IPv4 address, IPv6 /64; four times as many per /48) within the window.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  registrationsPerNetwork!: number;

  @Setting('AUTH_REGISTRATION_WINDOW_SECONDS', {
    default: 3600,
    describe: 'Window in which registrations are counted.',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  registrationWindowSeconds!: number;
}
