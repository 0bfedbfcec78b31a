import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { asProblem, problemDocument, PROBLEM_CONTENT_TYPE } from './problem.js';

/** The one renderer of errors: every answer that is not a success goes through here (DESIGN: errors). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), error);
  }
}

/** Answers a request with the problem document of an error, and leaves the error to the access log. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  request.failure = error;
  if (reply.sent) return;
  const path = request.url.split('?', 1)[0] ?? '/';
  const document = problemDocument(error, request.id, path);
  const headers = asProblem(error)?.headers;
  if (headers) void reply.headers(headers);
  void reply
    .code(document.status)
    .header('Content-Type', PROBLEM_CONTENT_TYPE)
    // A string: no serializer of a success schema may touch a problem document.
    .send(JSON.stringify(document));
}
