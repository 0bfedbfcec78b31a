export type { Caller, Role } from './caller.js';
export { newId } from './ids.js';
export { RequestContext } from './request-context.js';
