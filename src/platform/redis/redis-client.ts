import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import type { Settings } from '../../config/index.js';

/** Milliseconds between attempts to reach a Redis that is down. */
const RECONNECT_AFTER_MS = 300;
const CONNECT_TIMEOUT_MS = 2000;
/** Milliseconds that a Sentinel may take to name the primary, before the next one is asked. */
const SENTINEL_TIMEOUT_MS = 1000;

/**
 * Answers of a server that is not the primary, or not yet. After a failover connections stay open to the server that is now a
 * replica (an address moved, nothing closed them), and would stay there for ever, also those of BullMQ's blocking reads, which
 * end with UNBLOCKED. In a script of Redis 6 the word stands in the middle of the message.
 */
const NOT_THE_PRIMARY = /\b(READONLY|UNBLOCKED|LOADING|MASTERDOWN)\b/;

type RedisSettings = Settings['redis'];

/** Whether Redis has answered with an error, as opposed to not having been reached. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** For `reconnectOnError`: whether the error says that this connection leads to the wrong server. */
export function isNotThePrimary(error: Error): boolean {
  return NOT_THE_PRIMARY.test(error.message);
}

/**
 * A client for the Redis of the settings: one server, or the primary that Sentinels name, with TLS where the URL says `rediss:`.
 * Does not connect yet. It disconnects from a server that turns out not to be the primary.
 */
export function redisClient(settings: RedisSettings, options: RedisOptions): Redis {
  return new Redis(settings.url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => RECONNECT_AFTER_MS,
    reconnectOnError: isNotThePrimary,
    ...sentinels(settings),
    ...tls(settings),
    ...options,
  });
}

function sentinels({ sentinels: addresses, sentinelName, sentinelPassword }: RedisSettings): RedisOptions {
  if (addresses.length === 0) return {};
  return {
    name: sentinelName,
    sentinelPassword,
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    sentinels: addresses.map((address) => {
      const { hostname, port } = new URL(`tcp://${address}`);
      return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
    }),
  };
}

function tls({ url, tlsCa, tlsCert, tlsKey, tlsServerName }: RedisSettings): RedisOptions {
  if (!url.startsWith('rediss:')) return {};
  const read = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileSync(file);
  const options = {
    ca: read(tlsCa),
    cert: read(tlsCert),
    key: read(tlsKey),
    // A name that is an address may not be sent (RFC 6066 section 3); Node then compares with the host of the URL.
    ...(tlsServerName === undefined ? undefined : { servername: tlsServerName }),
  };
  // Primary and Sentinels alike: a deployment that encrypts one of them encrypts both.
  return { tls: options, sentinelTLS: options, enableTLSForSentinelMode: true };
}
