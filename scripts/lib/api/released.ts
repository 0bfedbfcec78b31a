/** The OpenAPI document of the last release, which clients rely on. */
export const RELEASED_API = 'docs/api/released.json';
