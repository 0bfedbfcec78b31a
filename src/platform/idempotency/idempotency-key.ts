import { ClientError } from '../errors/index.js';

/** draft-ietf-httpapi-idempotency-key-header-07 leaves the limit to us; longer keys only cost index space. */
const LONGEST_KEY = 255;
const PRINTABLE = /^[\x20-\x7e]+$/;
/** RFC 9651 section 3.3.3: a quoted string, in which only the quote and the backslash are escaped. */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;

/**
 * The key in an `Idempotency-Key` header. The draft requires a structured-field string (`"abc"`), many clients send it bare
 * (`abc`): both name the same key.
 * @throws ClientError 400 `idempotency-key-missing` or `idempotency-key-invalid` (1 to 255 printable ASCII characters)
 */
export function parseIdempotencyKey(header: string | string[] | undefined): string {
  if (header === undefined || header === '') {
    throw new ClientError({
      status: 400,
      /**
       * The operation needs an `Idempotency-Key` header. Send a new random key with each operation, and the
       * same key with its retries.
       */
      code: 'idempotency-key-missing',
      detail: 'This operation requires an Idempotency-Key header, so that it can be retried safely.',
    });
  }
  const text = String(header);
  const key = text.startsWith('"') ? QUOTED.exec(text)?.[1]?.replace(/\\(["\\])/g, '$1') : text;
  if (!key || key.length > LONGEST_KEY || !PRINTABLE.test(key)) {
    throw new ClientError({
      status: 400,
      /** The `Idempotency-Key` is not 1 to 255 printable ASCII characters. Send a UUID. */
      code: 'idempotency-key-invalid',
      detail: `Idempotency-Key must be 1 to ${LONGEST_KEY} printable ASCII characters, bare or as a quoted string.`,
    });
  }
  return key;
}
