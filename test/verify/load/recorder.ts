import { Histogram } from './histogram.ts';
import type {
  BucketData,
  ConnectionLoss,
  FailureKind,
  FailureSample,
  JournalEntry,
  LiveFigures,
  Outcome,
  StreamData,
} from './plan.ts';

export const BUCKET_MS = 100;
const SAMPLES_KEPT = 40;
const LOSSES_KEPT = 10_000;

interface Bucket {
  ok: number;
  refused: number;
  failures: Partial<Record<FailureKind, number>>;
  statuses: Record<number, number>;
  latency: Histogram | undefined;
  slowestAnswerMs: number;
}

export interface Ended {
  outcome: Outcome;
  /** 0 when there was no answer. */
  status: number;
  startedAt: number;
  endedAt: number;
  /** Of a refusal: the `code` of its problem document. */
  code?: string;
}

/** Milliseconds since the epoch, with fractions, the same in every thread. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Counts the outcomes of requests, in buckets of the moment they were *due*: the effect of a fault on a request is then in the
 * bucket in which the request was sent, however long it took to fail.
 */
export class Recorder {
  readonly name: string;
  private readonly buckets = new Map<number, Bucket>();
  readonly journal: JournalEntry[] = [];
  private readonly samples: FailureSample[] = [];
  private readonly losses: ConnectionLoss[] = [];
  private readonly refusals: Record<string, number> = {};
  lagMs = 0;
  private fresh = { ok: 0, refused: 0, failed: 0, latency: new Histogram(), since: now() };

  constructor(name: string) {
    this.name = name;
  }

  record({ outcome, status, startedAt, endedAt, code = 'unknown' }: Ended): void {
    const bucket = this.bucketOf(startedAt);
    const took = Math.max(0, endedAt - startedAt);
    if (status > 0) {
      bucket.statuses[status] = (bucket.statuses[status] ?? 0) + 1;
      if (took > bucket.slowestAnswerMs) bucket.slowestAnswerMs = took;
    }
    if (outcome === 'ok') {
      bucket.ok += 1;
      (bucket.latency ??= new Histogram()).record(took);
      this.fresh.ok += 1;
      this.fresh.latency.record(took);
    } else if (outcome === 'refused') {
      bucket.refused += 1;
      this.refusals[code] = (this.refusals[code] ?? 0) + 1;
      this.fresh.refused += 1;
    } else {
      bucket.failures[outcome] = (bucket.failures[outcome] ?? 0) + 1;
      this.fresh.failed += 1;
    }
  }

  sample(sample: FailureSample): void {
    if (this.samples.length < SAMPLES_KEPT) this.samples.push(sample);
  }

  lost(loss: ConnectionLoss): void {
    if (this.losses.length < LOSSES_KEPT) this.losses.push(loss);
  }

  /** The answers since the last call. */
  look(): LiveFigures {
    const { ok, refused, failed, latency, since } = this.fresh;
    this.fresh = { ok: 0, refused: 0, failed: 0, latency: new Histogram(), since: now() };
    return { sinceMs: now() - since, ok, refused, failed, p99: latency.percentile(99) };
  }

  data(): StreamData {
    const buckets: BucketData[] = [...this.buckets]
      .sort(([a], [b]) => a - b)
      .map(([index, { latency, ...bucket }]) => ({
        at: index * BUCKET_MS,
        ...bucket,
        latency: latency?.counts,
      }));
    const { name, journal, samples, losses, refusals, lagMs } = this;
    return { name, buckets, journal, samples, losses, refusals, lagMs };
  }

  private bucketOf(at: number): Bucket {
    const index = Math.floor(at / BUCKET_MS);
    let bucket = this.buckets.get(index);
    if (!bucket) {
      bucket = { ok: 0, refused: 0, failures: {}, statuses: {}, latency: undefined, slowestAnswerMs: 0 };
      this.buckets.set(index, bucket);
    }
    return bucket;
  }
}
