import type { ServerResponse } from 'node:http';
import { Members } from '../../fast/index.js';

/**
 * The requests in flight. A request takes a slot when all of it has arrived and frees it when its handler has answered: a client
 * that sends its body or reads its answer slowly takes nothing from the others (Slowloris, CWE-400).
 */
export class InFlight extends Members<ServerResponse> {}
