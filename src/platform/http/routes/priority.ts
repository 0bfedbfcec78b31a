import { routeOptions } from './route-options.js';

/**
 * How much a route matters under overload. `low` is rejected first (a list, a report: the caller can come back), `critical` last
 * (a login, the last step of something begun: half-finished work is the worst to lose). Probes are not on this port.
 */
export type RoutePriority = 'low' | 'normal' | 'critical';

declare module 'fastify' {
  interface FastifyContextConfig {
    priority?: RoutePriority;
    cached?: boolean;
    needsHeader?: string;
  }
}

/**
 * Declares a route's priority under overload; without it a route is `normal`.
 * @param options `cached`: it is mostly served without the database, so a queue there is no reason to reject it;
 * `needsHeader`: a header, in lower case, without which a request is rejected anyway, and has priority `low`
 */
export const Priority = (priority: RoutePriority, options: { cached?: boolean; needsHeader?: string } = {}) =>
  routeOptions({ priority, ...options });

/** Share of a limit (requests in flight, requests that wait for the database) at which a priority is no longer served. */
export const ADMITTED_UP_TO: Record<RoutePriority, number> = { low: 0.6, normal: 0.8, critical: 1 };
