export type { Caller, Role } from './caller.js';
export { isUuid, newId } from './ids.js';
export { ABANDONED, RequestContext } from './request-context.js';
