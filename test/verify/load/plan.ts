import type { RequestTemplate } from '../../../local/requests.ts';

/** The instructions for a load generator, as plain data, because they are sent to the generator's thread. */
export interface LoadPlan {
  streams: StreamPlan[];
}

/** One kind of traffic; the streams of a plan run at the same time and are counted separately. */
export interface StreamPlan {
  name: string;
  /** Default: 127.0.0.1. */
  host?: string;
  /** Used in turn. */
  ports: number[];
  /** Every second request goes over a connection of its own. Only in the open loop. */
  halfFresh?: boolean;
  /** Sent in turn. */
  requests: RequestTemplate[];
  pace: Pace;
  /** Every request is sent once, then the stream is over. Default: from the start again, until stopped. */
  once?: boolean;
  /** Without an answer by then a request has failed. Milliseconds, default 10,000. */
  timeoutMs?: number;
  /** Statuses that count as success besides 2xx. */
  expected?: number[];
  /** Keeps the outcome of each request, not only the counts. */
  journal?: boolean;
  /** What a closed-loop client does when nothing listens: retries (default), or stops. */
  whenRefused?: 'retry' | 'leave';
}

/**
 * `closed`: so many clients, each sends its next request when it has the answer to the last one. Measures a server's capacity.
 * `open`: so many requests a second, whatever their outcome, like real traffic. Times count from the moment a request was due, so
 * a stalled server is charged for every request that had to wait (no coordinated omission).
 */
export type Pace =
  | {
      kind: 'closed';
      connections: number;
      /** Pause of a client between an answer and its next request. */ pauseMs?: number;
    }
  | { kind: 'open'; perSecond: number; connections?: number };

/** Why a request has failed. */
export const failureKinds = ['unexpected', 'reset', 'connect-refused', 'timeout', 'malformed'] as const;

/**
 * `unexpected`: an answer that is neither a success nor a proper refusal, or that breaks the rules for answers;
 * `reset`: the connection ended before the answer; `connect-refused`: nothing listened; `malformed`: not HTTP.
 */
export type FailureKind = (typeof failureKinds)[number];

/** The outcome of a request. A refusal is a 503 or 429 that is a problem document and says when to retry. */
export type Outcome = 'ok' | 'refused' | FailureKind;

export interface JournalEntry {
  /** Index into the stream's requests. */
  request: number;
  key: string | undefined;
  /** When it was due, and when it had ended; milliseconds since the epoch. */
  startedAt: number;
  endedAt: number;
  outcome: Outcome;
  /** 0 when there was no answer. */
  status: number;
  location: string | undefined;
}

/** One failure, as evidence. */
export interface FailureSample {
  kind: FailureKind;
  at: number;
  request: string;
  detail: string;
}

/** A moment at which a connection was lost or refused. */
export interface ConnectionLoss {
  kind: 'reset' | 'connect-refused';
  /** When the request was sent, and when its loss was noticed. */
  startedAt: number;
  at: number;
  port: number;
  /** It was the first request on its connection. */
  fresh: boolean;
}

export interface BucketData {
  /** Start of the bucket, milliseconds since the epoch. */
  at: number;
  ok: number;
  refused: number;
  failures: Partial<Record<FailureKind, number>>;
  statuses: Record<number, number>;
  /** Of the successes. */
  latency: Uint32Array | undefined;
  /** The longest wait for any answer. */
  slowestAnswerMs: number;
}

export interface StreamData {
  name: string;
  buckets: BucketData[];
  journal: JournalEntry[];
  samples: FailureSample[];
  losses: ConnectionLoss[];
  /** Refusals by the `code` of their problem document. */
  refusals: Record<string, number>;
  /** How late the generator itself was, worst case in milliseconds. */
  lagMs: number;
}

/** A snapshot of a running load. */
export interface LiveFigures {
  sinceMs: number;
  ok: number;
  refused: number;
  failed: number;
  p99: number;
}
