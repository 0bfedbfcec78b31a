/**
 * Marks a development default that must never sign or open anything in production. Every secret's default is made with it, so a
 * fork that renames it cannot leave one behind that production would accept.
 */
export const PLACEHOLDER = 'development-placeholder-';
