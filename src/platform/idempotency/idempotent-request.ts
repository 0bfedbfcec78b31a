import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemFormat } from '../http/index.js';
import type { RecordedAnswer } from './answer.js';
import { parseIdempotencyKey } from './idempotency-key.js';

/** A request that carries an Idempotency-Key. */
export interface IdempotentRequest {
  key: string;
  /** Caller and route: the same key of another caller, or for another route, is another key. */
  scope: string;
  /** The key's payload. Compared by fingerprint, and only once it has been validated (the body may be anything). */
  payload: { method: string; params: unknown; body: unknown };
  /** Of the first request with this key, for its problem document. */
  requestId: string;
  path: string;
  acceptLanguage?: string | undefined;
}

const takesKey = createParamDecorator((optional: boolean, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return optional && request.headers['idempotency-key'] === undefined
    ? undefined
    : idempotentRequest(request);
});

/**
 * Parameter decorator of a handler that takes an Idempotency-Key: documents the header and requires it.
 * @param options `optional`: without the header the handler gets undefined, which `Idempotency.once` takes as well
 * @throws ClientError 400 when the header is missing or malformed
 */
export function IdempotencyKeyHeader({ optional = false }: { optional?: boolean } = {}): ParameterDecorator {
  const document = ApiHeader({
    name: 'Idempotency-Key',
    required: !optional,
    description: 'Makes retries safe: a request with the same key and payload gets the first answer again.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  });
  return (target, property, index) => {
    if (property === undefined) return;
    takesKey(optional)(target, property, index);
    document(target, property, Object.getOwnPropertyDescriptor(target, property) as PropertyDescriptor);
  };
}

/** @throws ClientError 400 when the header is missing or malformed */
export function idempotentRequest(request: FastifyRequest): IdempotentRequest {
  const key = parseIdempotencyKey(request.headers['idempotency-key']);
  const { method } = request;
  return {
    key,
    scope: `${request.caller?.userId ?? 'public'} ${method} ${request.routeOptions.url}`,
    payload: { method, params: request.params, body: request.body },
    requestId: request.id,
    path: request.url.split('?', 1)[0] ?? '/',
    acceptLanguage: request.headers['accept-language'],
  };
}

/** Sends an answer exactly as it is recorded, so that the first one and every replay are the same bytes. */
export function sendAnswer(reply: FastifyReply, answer: RecordedAnswer): void {
  if (answer.replayed) void reply.header('Idempotency-Replayed', 'true');
  void reply
    .code(answer.status)
    .type(
      answer.status < 400 ? 'application/json; charset=utf-8' : `${problemFormat().mediaType}; charset=utf-8`,
    )
    // After the type: refusals bring their own, except those that were recorded before it was.
    .headers(answer.headers)
    .send(answer.body);
}
