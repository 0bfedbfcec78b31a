import { createHmac, timingSafeEqual } from 'node:crypto';
import { ClientError } from '../../platform/errors/index.js';

/** Headers of a delivery after the Standard Webhooks specification (https://www.standardwebhooks.com). */
export interface WebhookHeaders {
  id: string | undefined;
  /** Unix seconds. */
  timestamp: string | undefined;
  /** Space-separated `v1,<base64>`; several while a secret is being replaced. */
  signature: string | undefined;
}

const SPECIFIED_KEY = /^whsec_/;

/**
 * The key of a webhook secret. Standard Webhooks serialises it as `whsec_` and base64, and signs with the decoded bytes; any
 * other string is the key itself, as with older providers.
 */
export function webhookKey(secret: string): Buffer {
  return SPECIFIED_KEY.test(secret)
    ? Buffer.from(secret.replace(SPECIFIED_KEY, ''), 'base64')
    : Buffer.from(secret);
}

/**
 * Checks that a delivery was signed with our secret, and recently: a copy that is replayed later is rejected.
 * @param body the exact text that was received
 * @throws ClientError 401 `invalid-signature`, which does not say what was wrong
 */
export function verifyWebhook(
  { id, timestamp, signature }: WebhookHeaders,
  body: string,
  { key, toleranceSeconds }: { key: Buffer; toleranceSeconds: number },
  nowMs: number = Date.now(),
): void {
  const lately = Math.abs(nowMs / 1000 - Number(timestamp)) <= toleranceSeconds;
  if (!id || !timestamp || !signature || !/^\d{1,12}$/.test(timestamp) || !lately) throw invalidSignature();
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  const matches = signature.split(' ').some((entry) => {
    const [version, encoded = ''] = entry.split(',', 2);
    const given = Buffer.from(encoded, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!matches) throw invalidSignature();
}

function invalidSignature(): ClientError {
  return new ClientError({
    status: 401,
    /**
     * The webhook's signature is missing, wrong or too old. Check the signing secret and the clock of the
     * sender.
     */
    code: 'invalid-signature',
    detail: 'The signature of the webhook is missing, wrong or too old.',
  });
}
