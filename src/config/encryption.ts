import type { Encryption } from './setting.decorator.js';

/** Encrypted when the protocol is this one. */
export function byProtocol(protocol: string): Encryption {
  return { hint: `use ${protocol}//`, isIn: (url) => url.protocol === protocol };
}

/** PostgreSQL has one protocol for both. With `prefer` and `no-verify` a third party could read the connection. */
export const POSTGRESQL_TLS: Encryption = {
  hint: 'add sslmode=verify-full',
  isIn: ({ searchParams }) =>
    ['require', 'verify-ca', 'verify-full'].includes(searchParams.get('sslmode') ?? ''),
};
