declare module '../../platform/context/caller.js' {
  interface Roles {
    customer: true;
    admin: true;
  }
}

/** What a user may be; the column in the database has a check of its own. */
export const ROLES = ['customer', 'admin'] as const;
