export type { Caller, Role } from './caller.js';
export { atEndOfTurn } from './end-of-turn.js';
export { newId } from './ids.js';
export { Members } from './members.js';
export { ABANDONED, RequestContext } from './request-context.js';
