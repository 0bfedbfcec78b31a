import {
  Injectable,
  Optional,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catchError, from, throwError, type Observable } from 'rxjs';
import { ClientError } from '../errors/index.js';
import { RateLimiter } from './rate-limiter.js';

/**
 * For a route that authenticates by itself and therefore skips the limit on requests: a request that it answers with 401 counts
 * against the address, and is answered 429 once that has used up its quota. Accepted requests are never limited.
 */
@Injectable()
export class CountUnauthorised implements NestInterceptor {
  // Only in processes that limit requests: the worker has the feature too, but no requests.
  constructor(@Optional() private readonly limiter?: RateLimiter) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    return next.handle().pipe(
      catchError((error: unknown) => {
        if (!(error instanceof ClientError && error.status === 401)) return throwError(() => error);
        return from(this.count(http.getRequest(), http.getResponse(), error));
      }),
    );
  }

  /** @throws the error itself, or ClientError 429 in its place. */
  private async count(request: FastifyRequest, reply: FastifyReply, error: ClientError): Promise<never> {
    await this.limiter?.countRefused(request, reply);
    throw error;
  }
}
