import { ClientError } from '../../platform/errors/index.js';

/** 401 for a request without a token: RFC 6750 section 3 requires no error code then. */
export function unauthenticated(scheme: string): ClientError {
  return new ClientError({
    status: 401,
    code: 'unauthenticated',
    detail: `An access token is required: Authorization: ${scheme} <accessToken>.`,
    headers: { 'WWW-Authenticate': scheme },
  });
}

/** 401 for a token that is malformed, forged, expired, or whose session has ended. */
export function invalidToken(scheme: string): ClientError {
  return new ClientError({
    status: 401,
    code: 'unauthenticated',
    detail: 'The access token is invalid or has expired. Refresh it or log in.',
    headers: { 'WWW-Authenticate': `${scheme} error="invalid_token"` },
  });
}

export function forbidden(): ClientError {
  return new ClientError({
    status: 403,
    code: 'forbidden',
    detail: 'Your role does not allow this.',
  });
}

/** The same for an unknown address and a wrong password. */
export function invalidCredentials(scheme: string): ClientError {
  return new ClientError({
    status: 401,
    /** The e-mail address or the password is wrong. Ask the user again. */
    code: 'invalid-credentials',
    detail: 'The e-mail address or the password is wrong.',
    headers: { 'WWW-Authenticate': scheme },
  });
}

export function invalidRefreshToken(scheme: string): ClientError {
  return new ClientError({
    status: 401,
    /**
     * The refresh token is unknown, expired, or was used before; in the last case all tokens of the session
     * are revoked. Log in.
     */
    code: 'invalid-refresh-token',
    detail: 'The refresh token is invalid or has expired. Log in.',
    headers: { 'WWW-Authenticate': scheme },
  });
}

export function sessionNotFound(): ClientError {
  return new ClientError({
    status: 404,
    /** The caller has no session with this id. It may have ended already. */
    code: 'session-not-found',
    detail: 'You have no such session.',
  });
}

/** 429 in the words of the IANA problem type `quota-exceeded`. */
export function tooManyFailures(retryAfterSeconds: number): ClientError {
  return new ClientError({
    status: 429,
    code: 'quota-exceeded',
    detail: 'Too many failed logins. Retry later.',
    headers: { 'Retry-After': String(retryAfterSeconds) },
  });
}
