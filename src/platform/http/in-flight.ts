import type { ServerResponse } from 'node:http';
import { Members } from '../runtime/index.js';

/**
 * The requests of a server. One is *open* from its head until its answer is out or its connection is gone, and *in flight* only
 * while it is worked on: it takes a slot when all of it has arrived and frees it when its handler has answered. How slowly a
 * client sends its body or reads its answer takes nothing from the others (Slowloris, CWE-400).
 */
export class InFlight {
  private readonly open = new Members<ServerResponse>();
  private readonly working = new Members<ServerResponse>();
  private draining = false;

  /** How many slots are taken. */
  get count(): number {
    return this.working.size;
  }

  /** Knows a request from now until its answer is out or its connection is gone. */
  add(response: ServerResponse): void {
    this.open.add(response);
    if (this.draining) response.shouldKeepAlive = false;
    response.once('close', () => {
      this.open.delete(response);
      this.free(response);
    });
  }

  /** Gives an open request a slot. */
  take(response: ServerResponse): void {
    this.working.add(response);
  }

  /** Takes the slot back; nothing happens to a request that has none. */
  free(response: ServerResponse): void {
    this.working.delete(response);
  }

  /**
   * From now on every answer carries `Connection: close`, also those that are being worked on (RFC 9112 section 9.6): by the
   * time the listener closes no client holds an idle connection on which its next request would be cut off.
   */
  drain(): void {
    this.draining = true;
    for (const response of this.open) response.shouldKeepAlive = false;
  }
}
