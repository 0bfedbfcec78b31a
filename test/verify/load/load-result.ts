import { Histogram } from './histogram.ts';
import type {
  BucketData,
  ConnectionLoss,
  FailureKind,
  FailureSample,
  JournalEntry,
  StreamData,
} from './plan.ts';
import { BUCKET_MS } from './recorder.ts';

/** A stretch of time, milliseconds since the epoch. */
export interface Interval {
  from: number;
  to: number;
}

/** The outcomes of the requests that were due in some stretch of time. */
export interface Window {
  requests: number;
  ok: number;
  refused: number;
  failed: number;
  failures: Partial<Record<FailureKind, number>>;
  statuses: Record<number, number>;
  okPerSecond: number;
  /** Of the successes, milliseconds. */
  p50: number;
  p99: number;
  /** The longest wait for an answer of any kind, milliseconds. */
  slowestAnswerMs: number;
}

/** One stream of a load, or several together. */
export class StreamResult {
  readonly buckets: BucketData[];
  readonly journal: JournalEntry[];
  readonly samples: FailureSample[];
  readonly losses: ConnectionLoss[];
  /** Refusals by the `code` of their problem document. */
  readonly refusals: Record<string, number> = {};
  readonly lagMs: number;

  constructor(streams: StreamData[]) {
    this.buckets = streams.flatMap(({ buckets }) => buckets);
    this.journal = streams.flatMap(({ journal }) => journal);
    this.samples = streams.flatMap(({ samples }) => samples);
    this.losses = streams.flatMap(({ losses }) => losses);
    for (const { refusals } of streams) {
      for (const [code, times] of Object.entries(refusals)) {
        this.refusals[code] = (this.refusals[code] ?? 0) + times;
      }
    }
    this.lagMs = Math.max(0, ...streams.map(({ lagMs }) => lagMs));
  }

  get startedAt(): number {
    return this.buckets.reduce((first, { at }) => Math.min(first, at), Infinity);
  }

  get endedAt(): number {
    return this.buckets.reduce((last, { at }) => Math.max(last, at + BUCKET_MS), 0);
  }

  /** Everything. */
  get all(): Window {
    return this.between({ from: -Infinity, to: Infinity });
  }

  /** Requests that were due in any of these stretches, to the tenth of a second. */
  between(...intervals: Interval[]): Window {
    const within = this.buckets.filter(({ at }) => {
      const middle = at + BUCKET_MS / 2;
      return intervals.some(({ from, to }) => middle >= from && middle < to);
    });
    const first = this.startedAt;
    const last = this.endedAt;
    const lengths = intervals.map(({ from, to }) => Math.min(to, last) - Math.max(from, first));
    return summarise(
      within,
      lengths.reduce((sum, length) => sum + Math.max(0, length), 0),
    );
  }
}

/** The result of a load: by stream, and as a whole. */
export class LoadResult extends StreamResult {
  private readonly streams: Map<string, StreamResult>;

  constructor(streams: StreamData[]) {
    super(streams);
    this.streams = new Map(streams.map((stream) => [stream.name, new StreamResult([stream])]));
  }

  get names(): string[] {
    return [...this.streams.keys()];
  }

  stream(name: string): StreamResult {
    const stream = this.streams.get(name);
    if (!stream) throw new Error(`Unknown stream ${name}; available: ${this.names.join(', ')}`);
    return stream;
  }
}

function summarise(buckets: BucketData[], lengthMs: number): Window {
  const latency = new Histogram();
  const failures: Window['failures'] = {};
  const statuses: Window['statuses'] = {};
  let ok = 0;
  let refused = 0;
  let failed = 0;
  let slowestAnswerMs = 0;
  for (const bucket of buckets) {
    ok += bucket.ok;
    refused += bucket.refused;
    for (const [kind, count] of Object.entries(bucket.failures)) {
      failed += count;
      failures[kind as FailureKind] = (failures[kind as FailureKind] ?? 0) + count;
    }
    for (const [status, count] of Object.entries(bucket.statuses)) {
      statuses[Number(status)] = (statuses[Number(status)] ?? 0) + count;
    }
    if (bucket.latency) latency.add(new Histogram(bucket.latency));
    slowestAnswerMs = Math.max(slowestAnswerMs, bucket.slowestAnswerMs);
  }
  return {
    requests: ok + refused + failed,
    ok,
    refused,
    failed,
    failures,
    statuses,
    okPerSecond: lengthMs > 0 ? (ok * 1_000) / lengthMs : 0,
    p50: latency.percentile(50),
    p99: latency.percentile(99),
    slowestAnswerMs,
  };
}
