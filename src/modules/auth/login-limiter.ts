import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { RedisConnection } from '../../platform/redis/index.js';
import { FailureLimit } from './failure-limit.js';

/** Failures that an address may have over all accounts, in those of one account: several people share an address. */
const PER_ADDRESS = 10;

/**
 * Slows down guessing. Failures are counted for an account *and* an address together, so that somebody elsewhere who
 * knows an e-mail address cannot lock its owner out, and for the address alone, so that trying one password on many accounts ends
 * as well.
 */
@Injectable()
export class LoginLimiter {
  private readonly enabled: boolean;
  private readonly byAddress: FailureLimit;
  private readonly byAccount: FailureLimit;

  constructor(redis: RedisConnection, @Inject(Settings) { auth, rateLimit }: Settings) {
    const { loginMaxFailures, loginWindowSeconds } = auth;
    this.enabled = rateLimit.enabled;
    const windowSeconds = loginWindowSeconds;
    this.byAddress = new FailureLimit(redis, {
      name: 'login-address',
      max: loginMaxFailures * PER_ADDRESS,
      windowSeconds,
      // One own account would otherwise do to wipe the traces of trying others.
      forgiving: false,
    });
    this.byAccount = new FailureLimit(redis, {
      name: 'login-account',
      max: loginMaxFailures,
      windowSeconds,
      forgiving: true,
    });
  }

  /**
   * Runs a login.
   * @param verify resolves to undefined when the credentials are wrong, which counts as a failure; one that throws does not count
   * @throws ClientError 429 with `Retry-After` after too many failures, also when the password would be right.
   */
  async attempt<T>(
    account: string,
    address: string,
    verify: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (!this.enabled) return verify();
    const network = networkOf(address);
    const pair = createHash('sha256').update(`${network} ${account}`).digest('base64url');
    let verified: T | undefined;
    await this.byAddress.attempt(network, () =>
      this.byAccount.attempt(pair, async () => {
        verified = await verify();
        return verified !== undefined;
      }),
    );
    return verified;
  }
}

/** What counts as one address: for IPv6 the /64 network, which is the least that one subscriber gets (RFC 6177). */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  // The URL parser writes an IPv6 address in its one canonical form (RFC 5952).
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
