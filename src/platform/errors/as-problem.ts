import { HttpException } from '@nestjs/common';
import { ClientError, ProblemError, TransientError, type ClientErrorStatus } from './errors.js';

/** Codes for requests that Nest and Fastify reject by themselves, before one of our handlers has run. */
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
 * Every error as one of the taxonomy: an error of a feature stays as it is, a framework's rejection becomes the `ClientError` of
 * its status, and everything else stays unknown (undefined): a bug.
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

function clientError(status: number, message: string, cause: unknown): ClientError {
  return new ClientError({
    status: status as ClientErrorStatus,
    code: CODES[status] ?? 'client-error',
    detail: message,
    cause,
  });
}
