import { Injectable, type Provider } from '@nestjs/common';
import { InjectMetric, makeGaugeProvider, makeHistogramProvider } from '@willsoto/nestjs-prometheus';
import { Gauge, Histogram } from 'prom-client';

const CONNECTIONS = 'db_pool_connections';
const WAIT = 'db_pool_wait_seconds';
const QUERY = 'db_query_duration_seconds';

const FIRST_WORD = /^[\s(]*([a-z]+)/i;
const OPERATIONS = new Set(
  'SELECT INSERT UPDATE DELETE MERGE WITH BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE SET'.split(' '),
);

/** The first word of a statement, where it is one of the usual ones. */
export function operationOf(text: string): string {
  const word = FIRST_WORD.exec(text)?.[1]?.toUpperCase() ?? '';
  return OPERATIONS.has(word) ? word : 'OTHER';
}

/** More than a product has statements; texts that are made up anew each time (lists of values) must not fill the memory. */
const REMEMBERED_TEXTS = 1000;

type Sample = { observe(seconds: number): void };

/** What a pool reports about itself. */
interface PoolState {
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

/** The measures of one pool. */
export interface PoolMetrics {
  /** A connection was lent, or refused, after so many milliseconds. */
  waited(milliseconds: number): void;
  /** A statement was answered. */
  answered(text: string, milliseconds: number): void;
}

export const databaseMetrics: Provider[] = [
  makeGaugeProvider({
    name: CONNECTIONS,
    help: 'Connections of a pool by state: used, idle, waiting (requests that wait for one).',
    labelNames: ['pool', 'state'],
  }),
  makeHistogramProvider({
    name: WAIT,
    help: 'Time that requests waited for a connection of the pool.',
    labelNames: ['pool'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  }),
  makeHistogramProvider({
    name: QUERY,
    help: 'Time from sending a statement to its answer, by its first word.',
    labelNames: ['operation'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  }),
];

/** The measures of the pools of this process. */
@Injectable()
export class DatabaseMetrics {
  private readonly samples = new Map<string, Sample>();
  /** By the statement's text: to find its first word costs as much as the measurement. */
  private readonly samplesOfTexts = new Map<string, Sample>();
  private readonly pools = new Map<string, PoolState>();

  constructor(
    @InjectMetric(CONNECTIONS) connections: Gauge,
    @InjectMetric(WAIT) private readonly wait: Histogram,
    @InjectMetric(QUERY) private readonly duration: Histogram,
  ) {
    // Counted when the metrics are scraped: a pool changes with every statement.
    Object.assign(connections, { collect: () => this.count(connections) });
  }

  /** Measures a pool under a name from now on. */
  of(name: string): PoolMetrics & { watch(pool: PoolState): void } {
    const wait = this.wait.labels({ pool: name });
    return {
      waited: (milliseconds) => wait.observe(milliseconds / 1000),
      answered: (text, milliseconds) => this.sampleOf(text).observe(milliseconds / 1000),
      watch: (pool) => void this.pools.set(name, pool),
    };
  }

  /** prom-client checks and hashes the labels on every call; the few operations there are keep their sample instead. */
  private sampleOf(text: string): Sample {
    const known = this.samplesOfTexts.get(text);
    if (known) return known;
    const operation = operationOf(text);
    const sample = this.samples.get(operation) ?? this.duration.labels({ operation });
    this.samples.set(operation, sample);
    if (this.samplesOfTexts.size < REMEMBERED_TEXTS) this.samplesOfTexts.set(text, sample);
    return sample;
  }

  private count(connections: Gauge): void {
    for (const [pool, { totalCount, idleCount, waitingCount }] of this.pools) {
      connections.set({ pool, state: 'used' }, totalCount - idleCount);
      connections.set({ pool, state: 'idle' }, idleCount);
      connections.set({ pool, state: 'waiting' }, waitingCount);
    }
  }
}
