import { AppSettings } from './sections/app.settings.js';
import { AuthSettings } from './sections/auth.settings.js';
import { CacheSettings } from './sections/cache.settings.js';
import { DatabaseSettings } from './sections/database.settings.js';
import { ExportsSettings } from './sections/exports.settings.js';
import { FaultsSettings } from './sections/faults.settings.js';
import { HttpSettings } from './sections/http.settings.js';
import { IdempotencySettings } from './sections/idempotency.settings.js';
import { LifecycleSettings } from './sections/lifecycle.settings.js';
import { MailSettings } from './sections/mail.settings.js';
import { MessagingSettings } from './sections/messaging.settings.js';
import { OverloadSettings } from './sections/overload.settings.js';
import { PaymentsSettings } from './sections/payments.settings.js';
import { RateLimitSettings } from './sections/rate-limit.settings.js';
import { RedisSettings } from './sections/redis.settings.js';
import { TracingSettings } from './sections/tracing.settings.js';

/**
 * The whole settings tree: inject it and read `settings.database.poolSize`. Nobody else reads the environment.
 * Secrets in it are readable by name only: copying, printing and serialising leave them out.
 */
export class Settings {
  readonly app = new AppSettings();
  readonly http = new HttpSettings();
  readonly database = new DatabaseSettings();
  readonly redis = new RedisSettings();
  readonly auth = new AuthSettings();
  readonly rateLimit = new RateLimitSettings();
  readonly payments = new PaymentsSettings();
  readonly mail = new MailSettings();
  readonly messaging = new MessagingSettings();
  readonly cache = new CacheSettings();
  readonly idempotency = new IdempotencySettings();
  readonly exports = new ExportsSettings();
  readonly overload = new OverloadSettings();
  readonly tracing = new TracingSettings();
  readonly faults = new FaultsSettings();
  readonly lifecycle = new LifecycleSettings();
}
