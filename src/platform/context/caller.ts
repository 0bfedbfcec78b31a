/**
 * The roles of the product, as its feature of users declares them:
 *
 * ```ts
 * declare module '../../platform/context/caller.js' {
 *   interface Roles { admin: true }
 * }
 * ```
 */
export interface Roles {}

export type Role = keyof Roles;

/** The caller of the request, as the access token states it. */
export interface Caller {
  userId: string;
  role: Role;
  sessionId: string;
}
