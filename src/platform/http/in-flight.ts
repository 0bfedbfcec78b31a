import type { ServerResponse } from 'node:http';
import { Members } from '../runtime/index.js';

/** The requests that a server is working on. */
export class InFlight {
  private readonly responses = new Members<ServerResponse>();
  private draining = false;

  get count(): number {
    return this.responses.size;
  }

  /** Counts a request from now until its answer is out or its connection is gone. */
  add(response: ServerResponse): void {
    const { responses } = this;
    responses.add(response);
    if (this.draining) response.shouldKeepAlive = false;
    response.once('close', () => responses.delete(response));
  }

  /**
   * From now on every answer carries `Connection: close`, also those that are being worked on (RFC 9112 section 9.6): by the
   * time the listener closes no client holds an idle connection on which its next request would be cut off.
   */
  drain(): void {
    this.draining = true;
    for (const response of this.responses) response.shouldKeepAlive = false;
  }
}
