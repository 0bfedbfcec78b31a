import { setTimeout as delay } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { InjectMetric, makeGaugeProvider } from '@willsoto/nestjs-prometheus';
import { Gauge } from 'prom-client';
import { within } from '../runtime/index.js';
import { CutOff } from './cut-off.js';
import { HealthRegistry, type HealthCheck } from './health.registry.js';

const DEPENDENCY_UP = 'dependency_up';
const CUT_OFF_ALONE = 'dependency_cut_off_alone';

export const healthMetrics = [
  makeGaugeProvider({
    name: DEPENDENCY_UP,
    help: '1 if a dependency answered the last check of this process, else 0. Checked every second.',
    labelNames: ['dependency'],
  }),
  makeGaugeProvider({
    name: CUT_OFF_ALONE,
    help: '1 while only this instance cannot reach a dependency, and is not ready because of it.',
    labelNames: ['dependency'],
  }),
];

/** Milliseconds between two checks of a dependency, and so between two heartbeats. */
const LOOK_EVERY_MS = 1000;
const CHECK_TIMEOUT_MS = 800;
/** A process whose timer is later than this draws no conclusions about others. Milliseconds. */
const TOO_LATE_MS = 500;

/**
 * Checks the dependencies once a second, independently of probes. So a probe is answered at once from the last result, and the
 * metrics have it without a probe.
 */
@Injectable()
export class HealthWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(HealthWatch.name);
  private readonly cutOffs = new Map<string, CutOff>();
  private readonly ended = new AbortController();

  constructor(
    private readonly registry: HealthRegistry,
    @InjectMetric(DEPENDENCY_UP) private readonly up: Gauge,
    @InjectMetric(CUT_OFF_ALONE) private readonly alone: Gauge,
  ) {}

  onApplicationBootstrap(): void {
    void this.watch();
  }

  beforeApplicationShutdown(): void {
    this.ended.abort();
  }

  private async watch(): Promise<void> {
    let due = performance.now();
    while (!this.ended.signal.aborted) {
      const late = performance.now() - due > TOO_LATE_MS;
      await Promise.all(this.registry.checks.map((check) => this.look(check, late)));
      due = Math.max(performance.now(), due + LOOK_EVERY_MS);
      await delay(Math.max(0, due - performance.now()), undefined, {
        signal: this.ended.signal,
        ref: false,
      }).catch(() => undefined);
    }
  }

  private async look(dependency: HealthCheck, late: boolean): Promise<void> {
    const { name, essential } = dependency;
    let details: Record<string, unknown> = {};
    const reached = await within(CHECK_TIMEOUT_MS, dependency.check()).then(
      (found) => {
        details = found ?? {};
        return true;
      },
      (error: Error) => {
        details = { reason: error.message };
        return false;
      },
    );
    this.registry.states.set(name, { ...details, status: reached ? 'up' : 'degraded' });
    this.up.set({ dependency: name }, Number(reached));
    // A worker that drains, or an api that does not listen yet, is no evidence that another instance serves.
    if (essential && this.registry.phase === 'ready' && !late) await this.compare(name, reached);
  }

  private async compare(name: string, reached: boolean): Promise<void> {
    const { heartbeats, cutOffFrom } = this.registry;
    const cutOff = this.cutOffs.get(name) ?? new CutOff();
    this.cutOffs.set(name, cutOff);
    let alone = false;
    if (reached) {
      cutOff.reached();
      await heartbeats?.beat(name).catch(() => undefined);
    } else {
      alone = cutOff.missed(await heartbeats?.beats(name).catch(() => undefined));
    }
    this.alone.set({ dependency: name }, Number(alone));
    if (alone === cutOffFrom.has(name)) return;
    if (alone) cutOffFrom.add(name);
    else cutOffFrom.delete(name);
    this.logger.warn(
      { dependency: name },
      alone
        ? 'Only this instance cannot reach a dependency; not ready until it does'
        : 'This instance is no longer the only one that cannot reach a dependency',
    );
  }
}
