export { CountUnauthorised } from './count-unauthorised.interceptor.js';
export { RateLimitModule } from './rate-limit.module.js';
export { limitsOf, RateLimiter, type Limits } from './rate-limiter.js';
export { quotaOf } from './quota.js';
