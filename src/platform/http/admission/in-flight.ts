import type { ServerResponse } from 'node:http';
import { Members } from '../../runtime/index.js';

/**
 * The requests that are worked on. One takes a slot when all of it has arrived and frees it when its handler has answered: how
 * slowly a client sends its body or reads its answer takes nothing from the others (Slowloris, CWE-400).
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

  /** Takes the slot back; nothing happens to a request that has none. */
  free(response: ServerResponse): void {
    this.responses.delete(response);
  }
}
