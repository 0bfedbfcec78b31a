import { Global, Module } from '@nestjs/common';
import { CacheFactory } from './cache.factory.js';

/** Caches of the features; needs `RedisModule`. */
@Global()
@Module({ providers: [CacheFactory], exports: [CacheFactory] })
export class CacheModule {}
