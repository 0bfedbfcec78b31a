export { CacheFactory } from './cache.factory.js';
export { CacheModule } from './cache.module.js';
export { staleStatus } from './cache-status.js';
export type { Cached, CacheOptions, ReadThroughCache } from './read-through-cache.js';
