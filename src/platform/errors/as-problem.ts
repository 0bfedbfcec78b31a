import { HttpException } from '@nestjs/common';
import { ClientError, ProblemError, TransientError, type ClientErrorStatus } from './errors.js';

/** Codes for requests that Nest and Fastify reject by themselves, before one of our handlers has run. */
const CODES: Partial<Record<number, string>> = {
  /** The request is not well-formed HTTP or JSON. Correct the client. */
  400: 'malformed-request',
  /**
   * The request has no access token, or one that is malformed, forged, expired, or of a session that has ended. Refresh the token
   * or log in, then repeat the request.
   */
  401: 'unauthenticated',
  /** The role of the caller does not allow this. Use an account that has the role. */
  403: 'forbidden',
  /** There is nothing at this path. Check the path. */
  404: 'not-found',
  /** The path exists, but not for this method. Use one of those in `Allow`. */
  405: 'method-not-allowed',
  /** The route cannot answer in a media type that `Accept` allows. Accept `application/json`, or what the documentation names. */
  406: 'not-acceptable',
  /** The request did not arrive completely in time. Send it again on a new connection. */
  408: 'request-timeout',
  /** The body is larger than allowed (`HTTP_BODY_LIMIT_BYTES`). Send less. */
  413: 'body-too-large',
  /** A path parameter or the URL is too long. Shorten it. */
  414: 'uri-too-long',
  /** The `Content-Type` is not supported. Send `application/json`. */
  415: 'unsupported-media-type',
  422: 'validation-failed',
  /** The headers are too large. Send fewer or shorter ones. */
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
        /** Something that the request needs is unavailable. Retry with backoff. */
        code: 'unavailable',
        detail: 'Temporarily unavailable. Retry later.',
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
    /** The request was rejected for a reason that the status and `detail` give. Correct the request. */
    code: CODES[status] ?? 'client-error',
    detail: message,
    cause,
  });
}
