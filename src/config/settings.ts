/* oxlint-disable typescript/no-unsafe-declaration-merging -- the constructor makes what the interface promises: one section for each feature */
import { NO_PRODUCT, type Product } from './product.js';
import { AppSettings } from './sections/app.settings.js';
import { CacheSettings } from './sections/cache.settings.js';
import { CpuSettings } from './sections/cpu.settings.js';
import { DatabaseSettings } from './sections/database.settings.js';
import { FastSettings } from './sections/fast.settings.js';
import { FaultsSettings } from './sections/faults.settings.js';
import { HttpSettings } from './sections/http.settings.js';
import { IdempotencySettings } from './sections/idempotency.settings.js';
import { LifecycleSettings } from './sections/lifecycle.settings.js';
import { MessagingSettings } from './sections/messaging.settings.js';
import { OverloadSettings } from './sections/overload.settings.js';
import { RateLimitSettings } from './sections/rate-limit.settings.js';
import { RedisSettings } from './sections/redis.settings.js';
import { TracingSettings } from './sections/tracing.settings.js';

/**
 * The sections that features add. A feature adds its own in `<feature>.settings.ts`, and `src/product.ts` registers the class:
 *
 * ```ts
 * declare module '../../config/settings.js' {
 *   interface FeatureSettings { gadgets: GadgetsSettings }
 * }
 * ```
 */
export interface FeatureSettings {}

/**
 * The whole settings tree: inject it and read `settings.database.poolSize`. Nothing else reads the environment.
 * Secrets in it are readable by name only: copying, printing and serialising leave them out.
 */
export class Settings {
  readonly app = new AppSettings();
  readonly http = new HttpSettings();
  readonly database = new DatabaseSettings();
  readonly redis = new RedisSettings();
  readonly rateLimit = new RateLimitSettings();
  readonly messaging = new MessagingSettings();
  readonly cache = new CacheSettings();
  readonly cpu = new CpuSettings();
  readonly idempotency = new IdempotencySettings();
  readonly overload = new OverloadSettings();
  readonly tracing = new TracingSettings();
  readonly fast = new FastSettings();
  readonly faults = new FaultsSettings();
  readonly lifecycle = new LifecycleSettings();

  constructor(product: Product = NO_PRODUCT) {
    const { settings: features, ...names } = product;
    Object.assign(this.app, names);
    for (const [feature, Section] of Object.entries<new () => object>(features)) {
      if (feature in this) throw new Error(`The settings have a section "${feature}" already`);
      Object.assign(this, { [feature]: new Section() });
    }
  }
}

export interface Settings extends Readonly<FeatureSettings> {}
