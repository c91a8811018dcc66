/** Injection token of the `RedisBus`; undefined without REDIS_URL. */
export const REDIS = Symbol('Redis');
