declare module '../../platform/context/caller.js' {
  interface Roles {
    customer: true;
    admin: true;
  }
}

/** The roles of a user; the column in the database has its own check. */
export const ROLES = ['customer', 'admin'] as const;
