import { Inject, Injectable, Optional, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Settings } from '../../config/index.js';
import { clientAddress, networkOf } from '../../platform/http/index.js';
import { limitsOf, quotaOf, RateLimiter, type Limits } from '../../platform/rate-limit/index.js';

/** The limit of an IPv6 client's /48, as a multiple of one /64's: several subscribers share it, or one rents it. */
const SUBSCRIBERS_PER_SITE = 4;

/**
 * Limits registrations by network. Each costs a password hash, creates a caller with a quota, and reveals by its 409 whether an
 * address has an account, so rejected and failed ones count as well.
 */
@Injectable()
export class RegistrationLimit implements CanActivate {
  private readonly enabled: boolean;
  private readonly subscriber: Limits;
  private readonly site: Limits;

  constructor(
    @Inject(Settings) { auth, rateLimit }: Settings,
    @Optional() private readonly limiter?: RateLimiter,
  ) {
    this.enabled = rateLimit.enabled;
    const limit = (name: string, times: number): Limits => {
      const quota = quotaOf(
        name,
        auth.registrationsPerNetwork * times,
        auth.registrationWindowSeconds * 1000,
      );
      return limitsOf([{ quota, scope: `${name}:` }]);
    };
    this.subscriber = limit('registration', 1);
    this.site = limit('registration-site', SUBSCRIBERS_PER_SITE);
  }

  /** @throws ClientError 429 `quota-exceeded`. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (!this.enabled || !this.limiter) return true;
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const address = clientAddress(http.getRequest<FastifyRequest>());
    const [subscriber, site] = [networkOf(address), networkOf(address, 48)];
    if (site !== subscriber) await this.limiter.admit(reply, site, this.site);
    await this.limiter.admit(reply, subscriber, this.subscriber);
    return true;
  }
}
