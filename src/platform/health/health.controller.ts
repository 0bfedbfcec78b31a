import { Controller, Get, Header, ServiceUnavailableException } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { HealthRegistry, type HealthCheck } from './health.registry.js';

/** A probe must answer before the kubelet's own timeout of a second gives up on it. */
const CHECK_TIMEOUT_MS = 800;
/** Several probes and scrapers ask at once; the dependency is asked once. */
const CHECK_CACHE_MS = 250;

/** The probes. Each answers a different question, and only readiness asks about dependencies. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly registry: HealthRegistry,
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /**
   * Does this process's event loop turn? That it answers at all is the whole proof: a restart cures no dependency, and
   * a probe that asked the database would restart every replica during its outage.
   */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Has the process finished starting? 503 until then. */
  @Get('startup')
  @Header('Cache-Control', 'no-store')
  startup(): { status: 'ok' } {
    if (this.registry.phase === 'starting') throw new ServiceUnavailableException({ status: 'starting' });
    return { status: 'ok' };
  }

  /** Should traffic come here? 503 while starting, while draining, and while an essential dependency is away. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(): Promise<HealthCheckResult> {
    const { phase, checks } = this.registry;
    if (phase !== 'ready') throw new ServiceUnavailableException({ status: phase });
    return this.health.check(checks.map((check) => () => this.ask(check)));
  }

  private async ask({ name, essential, check }: HealthCheck): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(name);
    const result = await indicator.attempt(check).withTimeout(CHECK_TIMEOUT_MS).cacheFor(CHECK_CACHE_MS);
    const { status, ...details } = result[name] as { status: string };
    return status === 'up' || essential ? result : indicator.degraded(details);
  }
}
