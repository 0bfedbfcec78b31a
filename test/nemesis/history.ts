/** What became of an operation, as far as its client knows. */
export type Outcome =
  /** Answered with success; `value` is what it said. */
  | 'ok'
  /** Answered with a refusal that promises that nothing was done: 4xx, or a 503 that says so. */
  | 'refused'
  /** No answer, a broken one, or a 503 that leaves it open: it may have been done, may still be done, or not. */
  | 'unknown';

/** One request of one client, as the client saw it. */
export interface Operation {
  /** Unique in a history; its order is that of invocation. */
  id: number;
  client: string;
  /** For example `transfer`, `withdraw`, `read-account`, `refresh`. */
  kind: string;
  /** What it is about, for example an account's id. Operations on one object form one history of it. */
  object?: string;
  /** The Idempotency-Key. Repeats of a request share it. */
  key?: string;
  /** What was asked for. */
  input: unknown;
  /** Which api was asked: `api-1` or `api-2`. */
  at: string;
  /** Milliseconds after the load began. */
  invokedAt: number;
  /** Undefined while there is no answer. */
  completedAt?: number;
  outcome: Outcome;
  status?: number;
  requestId?: string;
  /** What a success said, as far as a checker needs it. */
  value?: unknown;
  /** `code` of the problem document of any other answer. */
  code?: string;
  /** The exact text of the answer to a request with a key. */
  body?: string;
  /** What is wrong with the form of the answer: it breaks a rule that holds for all answers. */
  malformed?: string;
  /** Why it is unknown, for example `ECONNRESET`. */
  error?: string;
}
