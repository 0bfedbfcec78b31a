import { Injectable, type Provider } from '@nestjs/common';
import {
  InjectMetric,
  makeCounterProvider,
  makeGaugeProvider,
  makeHistogramProvider,
} from '@willsoto/nestjs-prometheus';
import { Counter, Gauge, Histogram } from 'prom-client';

const RELAYED = 'messaging_events_relayed_total';
const REDELIVERED = 'messaging_events_redelivered_total';
const HANDLED = 'messaging_events_handled_total';
const DURATION = 'messaging_handler_duration_seconds';
const DELAY = 'messaging_delivery_delay_seconds';
const PENDING = 'messaging_outbox_pending';
const LAG = 'messaging_outbox_lag_seconds';
const DEAD = 'messaging_dead_letters';
const STALLED = 'messaging_jobs_stalled_total';
const SCHEDULED = 'messaging_scheduled_runs_total';
const SCHEDULE_AGE = 'messaging_scheduled_last_run_age_seconds';
const REDIS_UP = 'messaging_redis_up';

const NAMES_APART = 300;

/** The outcome of a delivery. */
export type Outcome =
  /** The handler returned. */
  | 'handled'
  /** It failed with a `TransientError` and will be retried. */
  | 'retried'
  /** It failed permanently. */
  | 'dead'
  /** The process ended first; another worker will handle it. */
  | 'handed-back';

export const messagingMetrics: Provider[] = [
  makeCounterProvider({
    name: RELAYED,
    help: 'Events moved from the outbox to the queues.',
    labelNames: ['event'],
  }),
  makeCounterProvider({
    name: REDELIVERED,
    help: 'Events relayed again because no consumer had recorded them in time.',
  }),
  makeCounterProvider({
    name: HANDLED,
    help: 'Deliveries of events by outcome.',
    labelNames: ['event', 'consumer', 'outcome'],
  }),
  makeHistogramProvider({
    name: DURATION,
    help: 'Duration of event handlers.',
    labelNames: ['event', 'consumer'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
  }),
  makeHistogramProvider({
    name: DELAY,
    help: 'Time from announcing an event to the end of its handler.',
    labelNames: ['consumer'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
  }),
  makeGaugeProvider({
    name: PENDING,
    help: 'Events that wait for the relay; above 10000 an estimate that is rather too high than too low.',
  }),
  makeGaugeProvider({ name: LAG, help: 'Age of the oldest event that waits for the relay.' }),
  makeGaugeProvider({ name: DEAD, help: 'Dead letters that have not been replayed.' }),
  makeCounterProvider({
    name: STALLED,
    help: 'Jobs taken over from a worker that died or froze.',
    labelNames: ['queue'],
  }),
  makeCounterProvider({
    name: SCHEDULED,
    help: 'Runs of scheduled jobs by outcome.',
    labelNames: ['name', 'outcome'],
  }),
  makeGaugeProvider({
    name: SCHEDULE_AGE,
    help: 'Seconds since the last successful run of a scheduled job in any worker; since the start of this one if none is known.',
    labelNames: ['name'],
  }),
  makeGaugeProvider({ name: REDIS_UP, help: '1 while Redis answers the queues, else 0.' }),
];

/** The measures of messaging, in one place. */
@Injectable()
export class MessagingMetrics {
  private readonly names = new Set<string>();

  constructor(
    @InjectMetric(RELAYED) readonly relayed: Counter,
    @InjectMetric(REDELIVERED) readonly redelivered: Counter,
    @InjectMetric(HANDLED) private readonly handled: Counter,
    @InjectMetric(DURATION) private readonly duration: Histogram,
    @InjectMetric(DELAY) private readonly delay: Histogram,
    @InjectMetric(PENDING) readonly pending: Gauge,
    @InjectMetric(LAG) readonly lag: Gauge,
    @InjectMetric(DEAD) readonly deadLetters: Gauge,
    @InjectMetric(STALLED) readonly stalled: Counter,
    @InjectMetric(SCHEDULED) readonly scheduled: Counter,
    @InjectMetric(SCHEDULE_AGE) readonly scheduleAge: Gauge,
    @InjectMetric(REDIS_UP) readonly redisUp: Gauge,
  ) {}

  /**
   * A name as a label. Plain jobs may have any name: those beyond the first few hundred share one label, because each label is
   * kept for ever.
   */
  label(name: string): string {
    if (this.names.size < NAMES_APART) this.names.add(name);
    return this.names.has(name) ? name : 'other';
  }

  /** Counts a delivery. @param startedAt of the handler, by `performance.now()` */
  delivered(event: string, consumer: string, outcome: Outcome, startedAt: number, occurredAt: number): void {
    const labels = { event: this.label(event), consumer };
    this.handled.inc({ ...labels, outcome });
    this.duration.observe(labels, (performance.now() - startedAt) / 1000);
    if (outcome === 'handled') this.delay.observe({ consumer }, Math.max(0, Date.now() - occurredAt) / 1000);
  }
}
