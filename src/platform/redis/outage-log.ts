import type { Logger } from '@nestjs/common';

/** Reports an outage of Redis in one line, and in another one if it turns out that an operator has to do something about it. */
export class OutageLog {
  private down = false;
  private remedy?: string;

  /** @param consequence what happens meanwhile */
  constructor(
    private readonly logger: Logger,
    private readonly consequence: string,
  ) {}

  /** Call it with every error. */
  failed(error: Error): void {
    // The first error may be a mere reset, with the reason (an alert of TLS) in the next one.
    const remedy = remedyFor(error);
    if (this.down && (remedy === undefined || remedy === this.remedy)) return;
    this.down = true;
    this.remedy = remedy;
    const what = remedy === undefined ? 'does not answer' : `cannot be used: ${remedy}`;
    this.logger.warn({ err: error }, `Redis ${what}; ${this.consequence}`);
  }

  recovered(): void {
    if (this.down) this.logger.log('Redis answers again');
    this.down = false;
    this.remedy = undefined;
  }
}

/** What to do about an error of connecting that an operator has to mend; undefined when Redis is just down. */
function remedyFor(error: Error): string | undefined {
  const { code = '' } = error as { code?: string };
  if (/^(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message)) return 'check user and password in REDIS_URL';
  if (/ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/.test(code))
    return 'Redis asks for a client certificate: set REDIS_TLS_CERT and REDIS_TLS_KEY';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'its certificate is for another name: set REDIS_TLS_SERVER_NAME';
  if (/CERT|UNABLE_TO_|^ERR_(TLS|SSL|OSSL)/.test(code))
    return 'its certificate is not trusted: check REDIS_TLS_CA';
  return undefined;
}
