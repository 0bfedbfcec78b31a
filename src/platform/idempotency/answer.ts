import { BusinessRuleError } from '../errors/index.js';
import { writtenProblem } from '../http/index.js';
import { isMultilingual } from '../languages/index.js';
import type { IdempotentRequest } from './idempotent-request.js';

/** A handler's answer: the body is any JSON value, the headers are those that belong to the answer. */
export interface Answer {
  status: 200 | 201 | 202;
  /** `Location`, `ETag`: headers that a client needs from the first answer and must find in a replay too. */
  headers?: Record<string, string>;
  body: unknown;
}

/** An answer as it is stored and sent: the body is the exact text of the response. */
export interface RecordedAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** True for a replay. */
  replayed: boolean;
}

/** A success with the text that is sent for it. */
export function recordedAnswer({ status, headers = {}, body }: Answer): RecordedAnswer {
  return { status, headers, body: JSON.stringify(body), replayed: false };
}

/** An error with the text that the problem filter sends for it. */
export function recordedRefusal(
  error: BusinessRuleError,
  { requestId, path, acceptLanguage }: Pick<IdempotentRequest, 'requestId' | 'path' | 'acceptLanguage'>,
): RecordedAnswer {
  const { status, contentType, language, body } = writtenProblem(error, requestId, path, acceptLanguage);
  const headers = {
    ...error.headers,
    // A later release may write errors in another format, and replay this one.
    'Content-Type': contentType,
    // A retry gets the first answer again, whatever it accepts.
    ...(isMultilingual() && { 'Content-Language': language, Vary: 'Accept-Language' }),
  };
  return { status, headers, body, replayed: false };
}
