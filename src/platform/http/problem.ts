import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { ClientError, ProblemError, TransientError, type ClientErrorStatus } from '../errors/index.js';

/** RFC 9457 problem document with our own members. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  requestId: string;
  [extension: string]: unknown;
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

/** Types that are registered; everything else gets a URN made of its code. */
const REGISTERED_TYPES: Record<string, string> = {
  'quota-exceeded': 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  'temporary-reduced-capacity': 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
};

/** Codes of what Nest and Fastify refuse by themselves, before a handler of ours has run. */
const CODES: Partial<Record<number, string>> = {
  400: 'malformed-request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  408: 'request-timeout',
  413: 'body-too-large',
  414: 'uri-too-long',
  415: 'unsupported-media-type',
  422: 'validation-failed',
  431: 'headers-too-large',
};

/**
 * Every error as one of the taxonomy: what is thrown by a feature stays as it is, what a framework refused becomes the
 * `ClientError` of its status, and everything else stays unknown (undefined): a bug.
 */
export function asProblem(error: unknown): ProblemError | undefined {
  if (error instanceof ProblemError) return error;
  if (error instanceof HttpException) {
    const status = error.getStatus();
    if (status === 503)
      return new TransientError({
        code: 'unavailable',
        detail: 'Briefly unavailable. Try again.',
        cause: error,
      });
    return status < 500 ? clientError(status, error.message, error) : undefined;
  }
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return clientError(statusCode, (error as Error).message, error);
  }
  return undefined;
}

/** The document for an error: shaped here and nowhere else. A bug leaks nothing but the id under which it is logged. */
export function problemDocument(error: unknown, requestId: string, instance: string): ProblemDocument {
  const problem = asProblem(error);
  const status = problem?.status ?? 500;
  const code = problem?.code ?? 'internal-error';
  return {
    type: REGISTERED_TYPES[code] ?? `urn:problem-type:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: problem?.message ?? 'Something went wrong on our side. It is logged under the requestId.',
    instance,
    code,
    requestId,
    ...problem?.extensions,
  };
}

function clientError(status: number, message: string, cause: unknown): ClientError {
  return new ClientError({
    status: status as ClientErrorStatus,
    code: CODES[status] ?? 'client-error',
    detail: message,
    cause,
  });
}
