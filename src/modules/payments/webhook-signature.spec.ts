import { describe, expect, it } from 'vitest';
import { signWebhook } from '../../../local/payment-sandbox.js';
import { ClientError } from '../../platform/errors/index.js';
import { verifyWebhook, webhookKey } from './webhook-signature.js';

const secret = 'a-secret-for-webhooks';
const id = 'evt_1';
const body = '{"type":"charge.succeeded"}';
const now = 1_800_000_000;
const verification = { key: webhookKey(secret), toleranceSeconds: 300 };

function signed({ with: key = secret, at = now, text = body } = {}) {
  const headers = signWebhook(key, text, { id, timestamp: at });
  return { id, timestamp: headers['webhook-timestamp'], signature: headers['webhook-signature'] };
}

const verify = (headers: Parameters<typeof verifyWebhook>[0], text = body) =>
  verifyWebhook(headers, text, verification, now * 1000);

function refused(headers: Parameters<typeof verifyWebhook>[0], text = body): boolean {
  try {
    verify(headers, text);
    return false;
  } catch (error) {
    return error instanceof ClientError && error.status === 401 && error.code === 'invalid-signature';
  }
}

describe('The signature of a webhook', () => {
  it('is accepted within the tolerance, on both sides of now', () => {
    for (const at of [now, now - 300, now + 300]) expect(refused(signed({ at }))).toBe(false);
  });

  // Published by others who implement the specification (https://www.standardwebhooks.com, docs.svix.com).
  it.each([
    {
      secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
      id: 'msg_loFOjxBNrRLzqYUf',
      timestamp: '1731705121',
      body: '{"event_type":"ping","data":{"success":true}}',
      signature: 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
    },
    {
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: '{"test": 2432232314}',
      signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
  ])('is that of Standard Webhooks: %j', ({ secret: whsec, body: text, ...headers }) => {
    const check = (key: Buffer) =>
      verifyWebhook(headers, text, { key, toleranceSeconds: 1 }, Number(headers.timestamp) * 1000);
    expect(() => check(webhookKey(whsec))).not.toThrow();
    expect(() => check(Buffer.from(whsec))).toThrow(ClientError);
  });

  it('is accepted among others while a secret is rotated', () => {
    const headers = signed();
    const old = signed({ with: 'the-secret-before' }).signature;
    expect(refused({ ...headers, signature: `${old} v2,x ${headers.signature}` })).toBe(false);
  });

  it('is rejected when it is old, or from the future', () => {
    for (const at of [now - 301, now + 301]) expect(refused(signed({ at }))).toBe(true);
  });

  it.each([
    ['made with another secret', signed({ with: 'another-secret' })],
    ['for another body', signed({ text: `${body} ` })],
    ['for another event', { ...signed(), id: 'evt_2' }],
    ['for another time', { ...signed(), timestamp: String(now - 1) }],
    ['of an unknown version', { ...signed(), signature: signed().signature?.replace('v1', 'v2') }],
    ['truncated', { ...signed(), signature: signed().signature?.slice(0, -8) }],
    ['empty', { ...signed(), signature: 'v1,' }],
    ['missing', { ...signed(), signature: undefined }],
    ['without an id', { ...signed(), id: undefined }],
    ['without a time', { ...signed(), timestamp: undefined }],
    ['with a time that is not a number', { ...signed(), timestamp: 'now' }],
    ['with a fractional time', { ...signed(), timestamp: `${now}.5` }],
  ])('is rejected when it is %s', (_, headers) => {
    expect(refused(headers)).toBe(true);
  });
});
