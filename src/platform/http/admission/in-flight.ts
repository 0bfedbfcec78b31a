import type { ServerResponse } from 'node:http';
import { Members } from '../../runtime/index.js';

/**
 * The requests in flight. A request takes a slot when all of it has arrived and frees it when its handler has answered: a client
 * that sends its body or reads its answer slowly takes nothing from the others (Slowloris, CWE-400).
 */
export class InFlight {
  private readonly responses = new Members<ServerResponse>();

  /** How many slots are taken. */
  get count(): number {
    return this.responses.size;
  }

  take(response: ServerResponse): void {
    this.responses.add(response);
  }

  /** Frees the slot; a request without one is ignored. */
  free(response: ServerResponse): void {
    this.responses.delete(response);
  }
}
