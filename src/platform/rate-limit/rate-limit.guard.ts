import { Inject, Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerModuleOptions,
  type ThrottlerOptions,
  type ThrottlerRequest,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import {
  THROTTLER_KEY_GENERATOR,
  THROTTLER_LIMIT,
  THROTTLER_SKIP,
  THROTTLER_TRACKER,
  THROTTLER_TTL,
} from '@nestjs/throttler/dist/throttler.constants.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Settings } from '../../config/index.js';
import { RouteCache, type RoutePlaces } from '../http/index.js';
import { callerKey, sharedNetwork } from './caller-key.js';
import { quotaOf } from './quota.js';
import { limitsOf, RateLimiter, type Limit, type Limits } from './rate-limiter.js';

/** The quotas of a route; `undefined` when they depend on the request (functions given to `@Throttle`). */
type Plan = Limits | undefined;

/**
 * @nestjs/throttler's guard with its decorators (`@Throttle`, `@SkipThrottle`), but with one counter per caller for all routes
 * without their own limit, and no metadata lookups, hashes or promises per request: it returns a plain boolean whenever there is
 * a lease. Runs after authentication, to count against users and not addresses.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  private readonly plans = new RouteCache<Plan>((...places) => this.planOf(...places));
  private readonly enabled: boolean;

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly limiter: RateLimiter,
    @Inject(Settings) settings: Settings,
  ) {
    super(options, storage, reflector);
    this.enabled = settings.rateLimit.enabled;
  }

  /** @throws ClientError 429 `quota-exceeded`. */
  override canActivate(context: ExecutionContext): Promise<boolean> {
    // Nest accepts a plain boolean as well, which saves a turn of the event loop; the library's type allows promises only.
    return this.decide(context) as Promise<boolean>;
  }

  private decide(context: ExecutionContext): boolean | Promise<boolean> {
    if (!this.enabled) return true;
    const plan = this.plans.of(context);
    if (plan === undefined) return super.canActivate(context);
    if (plan.list.length === 0) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    return this.limiter.admit(reply, callerKey(request), plan, sharedNetwork(request));
  }

  /** The library's way, for limits that depend on the request: it resolves them and calls this for each. */
  protected override async handleRequest(request: ThrottlerRequest): Promise<boolean> {
    const { context, limit, ttl, throttler, getTracker, generateKey } = request;
    const http = context.switchToHttp();
    const asked = http.getRequest<FastifyRequest>();
    const tracker = await getTracker(asked, context);
    const name = throttler.name as string;
    const key = generateKey(context, tracker, name);
    const limits = limitsOf([{ quota: quotaOf(name, limit, ttl), scope: '' }]);
    return this.limiter.admit(http.getResponse<FastifyReply>(), key, limits, sharedNetwork(asked));
  }

  protected override getTracker(request: Record<string, unknown>): Promise<string> {
    return Promise.resolve(callerKey(request as unknown as FastifyRequest));
  }

  /** Readable, and without the hash that the library computes on every request. */
  protected override generateKey(context: ExecutionContext, suffix: string, name: string): string {
    return `${name}:${context.getClass().name}.${context.getHandler().name}:${suffix}`;
  }

  private planOf(...places: RoutePlaces): Plan {
    const [handler, controller] = places;
    const metadata = (key: string) => this.reflector.getAllAndOverride<unknown>(key, places);
    const limits: Limit[] = [];
    for (const throttler of this.throttlers) {
      const name = throttler.name as string;
      if (metadata(THROTTLER_SKIP + name)) continue;
      const own = { limit: metadata(THROTTLER_LIMIT + name), ttl: metadata(THROTTLER_TTL + name) };
      const limit = own.limit ?? throttler.limit;
      const ttl = own.ttl ?? throttler.ttl;
      const custom = metadata(THROTTLER_TRACKER + name) ?? metadata(THROTTLER_KEY_GENERATOR + name);
      if (custom || hasFunctions(throttler) || typeof limit !== 'number' || typeof ttl !== 'number')
        return undefined;
      // A route with its own limit has its own counters, and a name that shows this to clients.
      const isOwn = own.limit !== undefined || own.ttl !== undefined;
      const route = `${controller.name}.${handler.name}`;
      limits.push({
        quota: quotaOf(isOwn ? `${name}-${handler.name}` : name, limit, ttl),
        scope: isOwn ? `${name}:${route}:` : `${name}:`,
      });
    }
    return limitsOf(limits);
  }
}

function hasFunctions({ skipIf, getTracker, generateKey }: ThrottlerOptions): boolean {
  return [skipIf, getTracker, generateKey].some((option) => option !== undefined);
}
