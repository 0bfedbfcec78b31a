import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseEnv } from 'node:util';
import { stackPath } from './settings.ts';

const names = [
  'AUTH_TOKEN_SECRET',
  // only: payments
  'PAYMENT_PROVIDER_API_KEY',
  'PAYMENT_WEBHOOK_SECRET',
  // end
  // only: pictures
  'STORAGE_SECRET_ACCESS_KEY',
  // end
] as const;

export type LocalSecrets = Record<(typeof names)[number], string>;

/**
 * Secrets of this checkout's local stack: random, made once, readable by their owner only. Kept so that a token from
 * yesterday still opens the api that is started today.
 */
export function localSecrets(file = stackPath('secrets.env')): LocalSecrets {
  const known = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  const secrets = Object.fromEntries(
    names.map((name) => [name, known[name] || randomBytes(32).toString('base64url')]),
  ) as LocalSecrets;
  if (names.some((name) => known[name] !== secrets[name])) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, names.map((name) => `${name}=${secrets[name]}\n`).join(''), { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  return secrets;
}
