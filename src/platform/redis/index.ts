export { knownFailure } from './known-failure.js';
export { OverloadSignal } from './overload-signal.js';
export { piecesOf } from './pieces.js';
export { isNotThePrimary, isReply, redisClient } from './redis-client.js';
export { RedisConnection } from './redis-connection.js';
export { RedisModule } from './redis.module.js';
export { RedisHealth } from './redis.health.js';
