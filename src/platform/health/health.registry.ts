/** Where a process is in its life; readiness and startup follow from it, liveness never does. */
export type Phase = 'starting' | 'ready' | 'draining';

/** A dependency that readiness reports. */
export interface HealthCheck {
  name: string;
  /** Almost nothing can be served without it: an instance that alone is cut off from it leaves the load balancer. */
  essential: boolean;
  /** Resolves, with details worth showing, when the dependency answers; rejects when not. Bounded to a second by the caller. */
  check(): Promise<Record<string, unknown> | void>;
}

/** What is known of a dependency. */
export interface DependencyState {
  status: 'up' | 'degraded';
  [detail: string]: unknown;
}

/** How instances of one kind tell each other which dependencies they reach. Both methods may reject: then nothing is known. */
export interface Heartbeats {
  /** This instance has reached the dependency just now. */
  beat(dependency: string): Promise<void>;
  /** How often instances of this kind have reached it. Only that it grows means something. */
  beats(dependency: string): Promise<number>;
}

/**
 * What the management port reports about this process; created before anything has connected, so that probes are answered from
 * the start.
 */
export class HealthRegistry {
  phase: Phase = 'starting';
  /** The heartbeats of the other instances, where there are any. */
  heartbeats?: Heartbeats;
  /** By dependency, as of the last check by `HealthWatch`. */
  readonly states = new Map<string, DependencyState>();
  /** What this instance cannot reach while others can. */
  readonly cutOffFrom = new Set<string>();
  /** The dependencies that readiness reports. */
  readonly checks: HealthCheck[] = [];

  /** @param kind the instances that can stand in for each other: `api`, `worker` */
  constructor(readonly kind: string = 'process') {}
}
