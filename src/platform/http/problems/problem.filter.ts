import { validateHeaderName, validateHeaderValue } from 'node:http';
import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { asProblem, ClientError } from '../../errors/index.js';
import { isMultilingual } from '../../languages/index.js';
import { varyBy } from '../headers/vary.js';
import { writtenProblem } from './problem-format.js';

/** What a handler, or `@Header` before it, has said of its success: of an error it is wrong, and a cache would keep the error. */
const OF_SUCCESS = new Set([
  'accept-ranges',
  'content-disposition',
  'content-encoding',
  'content-range',
  'etag',
  'expires',
  'last-modified',
]);

/**
 * The one renderer of errors: every answer that is not a success goes through here (docs/architecture.md, "The path of a
 * request").
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    sendProblem(request, http.getResponse<FastifyReply>(), request.is404 ? unmatched(request) : error);
  }
}

/** Answers a request with the problem document of an error, and leaves the error to the access log. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  request.failure = error;
  if (reply.sent) return;
  const { status, contentType, language, body } = writtenProblem(
    error,
    request.id,
    pathOf(request),
    request.headers['accept-language'],
  );
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (!OF_SUCCESS.has(name) && isSendable(name, value)) continue;
    reply.removeHeader(name);
    // Where Fastify has put them when a stream fails before its first byte.
    if (!reply.raw.headersSent) reply.raw.removeHeader(name);
  }
  reply.header('Cache-Control', 'no-store');
  if (isMultilingual()) varyBy(reply.header('Content-Language', language), 'Accept-Language');
  const headers = asProblem(error)?.headers;
  if (headers) void reply.headers(headers);
  void reply
    .code(status)
    .header('Content-Type', contentType)
    // The router rejects some URLs before any hook has run.
    .header('X-Request-Id', request.id)
    // A string: no serialiser of a success schema may touch a problem document.
    .send(body);
}

/** Otherwise the error that a header such as a name with a line break has caused could not be sent, either. */
function isSendable(name: string, value: unknown): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value as string);
    return true;
  } catch {
    return false;
  }
}

function unmatched(request: FastifyRequest): ClientError {
  const path = pathOf(request);
  const allowed = request.server.routeTable.allowed(path);
  if (allowed.length === 0 || allowed.includes(request.method)) {
    return new ClientError({ status: 404, code: 'not-found', detail: `${path} does not exist.` });
  }
  return new ClientError({
    status: 405,
    code: 'method-not-allowed',
    detail: `${request.method} is not allowed; use ${allowed.join(', ')}.`,
    headers: { Allow: allowed.join(', ') },
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '/';
}
