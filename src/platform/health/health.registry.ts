/** Where a process is in its life; readiness and startup follow from it, liveness never does. */
export type Phase = 'starting' | 'ready' | 'draining';

/** One dependency's part of readiness. */
export interface HealthCheck {
  name: string;
  /** Without it the process cannot do its work: readiness answers 503. Otherwise readiness only reports `degraded`. */
  essential: boolean;
  /** Resolves, with details worth showing, when the dependency answers; rejects when not. Bounded to a second by the caller. */
  check: () => Promise<Record<string, unknown> | void>;
}

/** What the management port tells about this process; made before anything has connected, so that probes are answered from the start. */
export class HealthRegistry {
  phase: Phase = 'starting';
  private readonly known: HealthCheck[] = [];

  /** Adds a dependency to readiness. */
  add(check: HealthCheck): void {
    this.known.push(check);
  }

  get checks(): readonly HealthCheck[] {
    return this.known;
  }
}
