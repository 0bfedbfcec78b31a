import { Controller, Get, Header, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import { HealthRegistry } from './health.registry.js';

/** The probes. Each answers a different question about this process, immediately, and calls no dependency. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly registry: HealthRegistry,
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /**
   * Does this process's event loop turn? Any answer proves it. A restart cures no dependency, and a probe that asked the database
   * would restart every instance during its outage.
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

  /**
   * Should traffic come here? 503 while starting, while draining, and while this instance alone is cut off from an essential
   * dependency. Not while a dependency is down for all instances: then all of them would leave the load balancer, and clients
   * would get refused connections instead of cached reads and 503 with `Retry-After`.
   */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(): Promise<HealthCheckResult> {
    const { phase, states, cutOffFrom } = this.registry;
    if (phase !== 'ready') throw new ServiceUnavailableException({ status: phase });
    return this.health.check(
      [...states].map(([name, { status, ...details }]) => () => {
        const indicator = this.indicators.check(name);
        if (cutOffFrom.has(name)) return indicator.down({ ...details, cutOffAlone: true });
        return status === 'up' ? indicator.up(details) : indicator.degraded(details);
      }),
    );
  }
}
