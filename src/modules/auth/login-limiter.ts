import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { networkOf } from '../../platform/http/index.js';
import { RedisConnection } from '../../platform/redis/index.js';
import { FailureLimit } from './failure-limit.js';

/** Failures that a network may have over all accounts, as a multiple of those of one account: several people share an address. */
const ACCOUNTS_PER_NETWORK = 10;
/** The limit of an IPv6 client's /48, as a multiple of one /64's: several subscribers share it, or one rents it. */
const SUBSCRIBERS_PER_SITE = 4;
/** Failures of an account from all networks, as a multiple of one network's limit, from which on it is under attack. */
const NETWORKS_PER_ACCOUNT = 10;
/** Share of its limit that a network keeps for an account under attack. */
const UNDER_ATTACK = 1 / 3;

/** A network by which a client is counted, and how many subscribers may be behind it. */
interface Origin {
  network: string;
  subscribers: number;
}

/**
 * Slows down guessing. Failures are counted for an account *and* a network together, so that an attacker elsewhere that knows an
 * e-mail address cannot lock its owner out, and for the network alone, so that trying one password on many accounts is limited as
 * well. An account that is attacked from many networks allows each of them fewer attempts, but never none: its owner may come
 * from any of them.
 */
@Injectable()
export class LoginLimiter {
  private readonly enabled: boolean;
  private readonly maxFailures: number;
  private readonly byNetwork: FailureLimit;
  private readonly byAccountAndNetwork: FailureLimit;
  private readonly byAccount: FailureLimit;

  constructor(redis: RedisConnection, @Inject(Settings) { auth, rateLimit }: Settings) {
    this.enabled = rateLimit.enabled;
    this.maxFailures = auth.loginMaxFailures;
    const limit = (name: string, forgiving: boolean): FailureLimit =>
      new FailureLimit(redis, {
        name,
        max: auth.loginMaxFailures,
        windowSeconds: auth.loginWindowSeconds,
        forgiving,
      });
    // Otherwise one own account would suffice to clear the failures of attacks on others.
    this.byNetwork = limit('login-address', false);
    this.byAccountAndNetwork = limit('login-account', true);
    this.byAccount = limit('login-anywhere', false);
  }

  /**
   * Runs a login.
   * @param verify resolves to undefined when the credentials are wrong, which counts as a failure; one that throws does not count
   * @throws ClientError 429 with `Retry-After` after too many failures, also when the password would be correct.
   */
  async attempt<T>(
    account: string,
    address: string,
    verify: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (!this.enabled) return verify();
    const anywhere = hashOf(account);
    const underAttack = (await this.byAccount.failures(anywhere)) >= this.maxFailures * NETWORKS_PER_ACCOUNT;
    const perNetwork = underAttack ? Math.ceil(this.maxFailures * UNDER_ATTACK) : this.maxFailures;
    let verified: T | undefined;
    let login = async (): Promise<boolean> => {
      verified = await verify();
      if (verified === undefined) await this.byAccount.add(anywhere);
      return verified !== undefined;
    };
    for (const { network, subscribers } of originsOf(address)) {
      const inner = login;
      const pair = hashOf(`${network} ${account}`);
      login = () =>
        this.byNetwork.attempt(
          network,
          () => this.byAccountAndNetwork.attempt(pair, inner, perNetwork * subscribers),
          this.maxFailures * ACCOUNTS_PER_NETWORK * subscribers,
        );
    }
    await login();
    return verified;
  }
}

function originsOf(address: string): Origin[] {
  const [network, site] = [networkOf(address), networkOf(address, 48)];
  const origins = [{ network, subscribers: 1 }];
  return site === network ? origins : [...origins, { network: site, subscribers: SUBSCRIBERS_PER_SITE }];
}

/** Redis gets no e-mail addresses of people. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
