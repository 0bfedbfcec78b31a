import { BusinessRuleError } from '../errors/index.js';
import { problemDocument } from '../http/index.js';

/** What a handler answers: the body is anything JSON can hold, the headers are those that belong to the answer. */
export interface Answer {
  status: 200 | 201 | 202;
  /** `Location`, `ETag`: whatever a client needs from the first answer and must find in a replay too. */
  headers?: Record<string, string>;
  body: unknown;
}

/** An answer as it is stored and sent: the body is the exact text of the response. */
export interface RecordedAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** True when it was given before. */
  replayed: boolean;
}

/** The text that goes out for an answer; for a refusal the problem document that the problem filter renders. */
export function recordedAnswer(
  answer: Answer | BusinessRuleError,
  { requestId, path }: { requestId: string; path: string },
): RecordedAnswer {
  const { status, headers = {} } = answer;
  const body = answer instanceof BusinessRuleError ? problemDocument(answer, requestId, path) : answer.body;
  return { status, headers, body: JSON.stringify(body), replayed: false };
}
