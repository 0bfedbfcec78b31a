import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Settings } from '../../config/index.js';
import { ClientError } from '../errors/index.js';
import { callerKey, sharedNetwork } from './caller-key.js';
import { LeaseStorage, type Taken } from './lease-storage.js';
import { quotaOf, type Quota } from './quota.js';

/** The policy for all routes, and its counters. */
export const DEFAULT_POLICY = 'default';

/** One quota that a request counts against; each caller has a counter under its scope. */
export interface Limit {
  quota: Quota;
  scope: string;
}

/** All quotas of a route, with the header that states them. */
export interface Limits {
  list: readonly Limit[];
  policy: string;
}

export function limitsOf(list: readonly Limit[]): Limits {
  return { list, policy: list.map(({ quota }) => quota.policy).join(', ') };
}

/**
 * Counts requests and reports the state to clients, in the fields of draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy`
 * and `RateLimit` on every counted answer, and `Retry-After` with a rejection.
 */
@Injectable()
export class RateLimiter {
  private readonly enabled: boolean;
  private readonly defaults: Limits;
  /** The shared quota of all callers of one network. */
  private readonly network: Limit;

  constructor(
    private readonly storage: LeaseStorage,
    @Inject(Settings) { rateLimit }: Settings,
  ) {
    this.enabled = rateLimit.enabled;
    const windowMs = rateLimit.windowSeconds * 1000;
    const quota = quotaOf(DEFAULT_POLICY, rateLimit.requests, windowMs);
    const together = quotaOf('network', rateLimit.requests * rateLimit.callersPerNetwork, windowMs);
    this.network = { quota: together, scope: 'network:' };
    this.defaults = limitsOf([{ quota, scope: `${DEFAULT_POLICY}:` }]);
  }

  /**
   * Counts one request of a caller. True synchronously when Redis need not be asked.
   * @param network its network, if that is counted too; clients see its state only once it is used up
   * @throws ClientError 429 `quota-exceeded`
   */
  admit(reply: FastifyReply, caller: string, limits: Limits, network?: string): true | Promise<true> {
    const taken: (Taken | Promise<Taken>)[] = [];
    let waits = false;
    for (const { scope, quota } of limits.list) {
      const one = this.storage.take(scope + caller, quota);
      waits ||= one instanceof Promise;
      taken.push(one);
    }
    if (!waits) return this.admitFrom(network, reply, limits, taken as Taken[]);
    return Promise.all(taken.map((one) => Promise.resolve(one))).then((all) =>
      this.admitFrom(network, reply, limits, all),
    );
  }

  /**
   * Counts a request that another guard is about to reject (401, 403) and that would otherwise be free: against its address, or
   * its user when the token was valid. Callers with valid tokens behind the same address are not affected.
   * @throws ClientError 429 `quota-exceeded` in place of the rejection, once the quota is used up
   */
  countRefused(request: FastifyRequest, reply: FastifyReply): void | Promise<unknown> {
    if (!this.enabled) return;
    const admitted = this.admit(reply, callerKey(request), this.defaults, sharedNetwork(request));
    if (admitted instanceof Promise) return admitted;
  }

  /**
   * Counts a request against its network, unless its caller's own quota is used up: a caller that goes on sending requests would
   * otherwise use up the quota that all callers behind its address share.
   */
  private admitFrom(
    network: string | undefined,
    reply: FastifyReply,
    limits: Limits,
    own: readonly Taken[],
  ): true | Promise<true> {
    if (network === undefined || own.some(({ allowed }) => !allowed)) return settle(reply, limits, own);
    const together = this.storage.take(this.network.scope + network, this.network.quota);
    const settled = (taken: Taken): true =>
      taken.allowed
        ? settle(reply, limits, own)
        : settle(reply, limitsOf([...limits.list, this.network]), [...own, taken]);
    return together instanceof Promise ? together.then(settled) : settled(together);
  }
}

function settle(reply: FastifyReply, limits: Limits, taken: readonly Taken[]): true {
  let standing = '';
  let refused = false;
  for (const [i, { quota }] of limits.list.entries()) {
    const { allowed, remaining, resetSeconds } = taken[i] as Taken;
    refused ||= !allowed;
    standing += `${i === 0 ? '' : ', '}"${quota.name}";r=${remaining};t=${resetSeconds}`;
  }
  reply.header('RateLimit-Policy', limits.policy).header('RateLimit', standing);
  if (refused) throw quotaExceeded(limits, taken);
  return true;
}

function quotaExceeded(limits: Limits, taken: readonly Taken[]): ClientError {
  const violated = limits.list.filter((_, i) => !(taken[i] as Taken).allowed);
  const seconds = Math.max(
    ...taken.filter(({ allowed }) => !allowed).map(({ resetSeconds }) => resetSeconds),
  );
  return new ClientError({
    status: 429,
    /**
     * The caller has used up a limit (`violated-policies` for rate limits). Wait for `Retry-After`, and send
     * fewer requests.
     */
    code: 'quota-exceeded',
    detail: `Too many requests. Retry in ${seconds} s.`,
    // The member that the problem type defines (section 5.1 of the draft).
    extensions: { 'violated-policies': violated.map(({ quota }) => quota.name) },
    headers: { 'Retry-After': String(seconds) },
  });
}
