import { AsyncResource } from 'node:async_hooks';
import { ServerResponse } from 'node:http';
import { atEndOfTurn } from '../../fast/index.js';

/**
 * A response that is written together with the others that are complete in the same turn of the event loop. To its user it is
 * like any other: from `end` on it counts as ended, and later steps (`finish`, the access log) run in the context of its request.
 */
export class BatchedResponse extends ServerResponse {
  private ending = false;

  static {
    // "true after response.end() has been called" (Node's documentation), not after the response has been written. Fastify relies
    // on it.
    Object.defineProperty(this.prototype, 'writableEnded', {
      get(this: BatchedResponse) {
        return this.ending;
      },
    });
  }

  override end(...parameters: unknown[]): this {
    this.ending = true;
    // `AsyncLocalStorage.bind` does the same and describes the bound function as well, which was 2 % of a read.
    const context = new AsyncResource('BatchedResponse');
    atEndOfTurn(() =>
      context.runInAsyncScope(() => super.end(...(parameters as Parameters<ServerResponse['end']>))),
    );
    return this;
  }
}
