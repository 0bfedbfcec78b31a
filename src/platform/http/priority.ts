import 'reflect-metadata';
import { RouteConfig } from '@nestjs/platform-fastify';

/**
 * How much a route matters when not everything can be served. `low` goes first (a list, an export: the caller can come
 * back), `critical` last (a login, a payment: a half-finished purchase is the worst thing to lose). Probes are not on this port.
 */
export type RoutePriority = 'low' | 'normal' | 'critical';

declare module 'fastify' {
  interface FastifyContextConfig {
    priority?: RoutePriority;
  }
}

/** Declares a route's priority under overload; without it a route is `normal`. */
export const Priority = (priority: RoutePriority) => RouteConfig({ priority });

/** Share of the in-flight limit at which a priority is no longer served. */
export const ADMITTED_UP_TO: Record<RoutePriority, number> = { low: 0.6, normal: 0.8, critical: 1 };
