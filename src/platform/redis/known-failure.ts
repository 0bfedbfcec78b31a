import type { KnownFailure } from '../runtime/index.js';

/** The remedy for a connection error that an operator has to fix; undefined when Redis is just down. */
export function knownFailure(error: Error): KnownFailure | undefined {
  const remedy = remedyFor(error);
  return remedy === undefined ? undefined : { message: `Redis cannot be used: ${remedy}` };
}

function remedyFor(error: Error): string | undefined {
  const { code = '' } = error as { code?: string };
  if (/^(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message)) return 'check user and password in REDIS_URL';
  if (/ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/.test(code))
    return 'Redis requires a client certificate: set REDIS_TLS_CERT and REDIS_TLS_KEY';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'its certificate is for another name: set REDIS_TLS_SERVER_NAME';
  if (/CERT|UNABLE_TO_|^ERR_(TLS|SSL|OSSL)/.test(code))
    return 'its certificate is not trusted: check REDIS_TLS_CA';
  return undefined;
}
