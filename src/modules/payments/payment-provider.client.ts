import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import {
  ClientError,
  isConnectError,
  NotAttemptedError,
  TransientError,
} from '../../platform/errors/index.js';
import { excessOf } from '../../platform/http/index.js';
import { Policies, type Dependency } from '../../platform/resilience/index.js';
import { isFinal, parseCharge, type Charge } from './charge.js';

export interface ChargeRequest {
  /** The idempotency key: the provider charges once for it, however often it is called. */
  paymentId: string;
  orderId: string;
  /** Minor units. */
  amount: number;
  currency: string;
  paymentMethod: string;
}

interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal: AbortSignal;
}

/**
 * The payment provider's API. The policy defines whether a call may be retried, how long it may take and how many run at once.
 */
@Injectable()
export class PaymentProviderClient {
  private readonly logger = new Logger(PaymentProviderClient.name);
  private readonly provider: Dependency;
  private readonly chargesUrl: URL;
  private readonly authorization: string;

  constructor(@Inject(Settings) { payments }: Settings, policies: Policies) {
    this.provider = policies.define('payment-provider', {
      timeoutMs: payments.timeoutMs,
      concurrency: 64,
      breaker: { size: 10, minimumCalls: 3 },
      reopenAfterMs: 2000,
    });
    this.chargesUrl = new URL('v1/charges', `${payments.providerUrl.replace(/\/$/, '')}/`);
    this.authorization = `Bearer ${payments.apiKey}`;
  }

  /**
   * Charges, once for each `paymentId`.
   * @returns `undecided` when the provider has accepted the request and reports the outcome later
   * @throws NotAttemptedError when the provider was certainly not called
   * @throws ClientError 422 `payment-method-refused` when it does not accept the payment method: nothing was charged
   * @throws TransientError when it is unknown whether it has charged: no answer, a broken connection, a 5xx
   */
  async charge({ paymentId, orderId, ...request }: ChargeRequest): Promise<Charge | 'undecided'> {
    return this.provider.execute(async ({ signal }) => {
      const { status, body } = await this.send(this.chargesUrl, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': paymentId },
        body: JSON.stringify({ ...request, reference: orderId }),
        signal,
      });
      if (status === 422) throw refusedMethod();
      return chargeIn(bodyOf(status, body), paymentId);
    });
  }

  /**
   * What the provider knows about a payment: its charge, `none`, or `undecided`.
   * @throws TransientError when it does not answer
   */
  async find(paymentId: string): Promise<Charge | 'none' | 'undecided'> {
    return this.provider.execute(async ({ signal }) => {
      const url = new URL(this.chargesUrl);
      url.searchParams.set('idempotencyKey', paymentId);
      const { status, body } = await this.send(url, { signal });
      const { data } = bodyOf(status, body) as { data?: unknown };
      if (!Array.isArray(data)) throw unintelligible(status);
      return data.length > 0 ? chargeIn(data[0], paymentId) : 'none';
    });
  }

  private async send(url: URL, init: Call): Promise<{ status: number; body: string }> {
    let answer: { status: number; body: string };
    try {
      const headers = { ...init.headers, Authorization: this.authorization };
      const response = await fetch(url, { ...init, headers });
      answer = { status: response.status, body: await response.text() };
    } catch (error) {
      // undici hides the reason in the cause.
      throw isConnectError((error as Error).cause) ? unavailable(error) : noAnswer(error);
    }
    if (answer.status === 401 || answer.status === 403) {
      this.logger.error('The payment provider rejects PAYMENT_PROVIDER_API_KEY');
      throw unavailable();
    }
    if (answer.status === 429) throw unavailable();
    return answer;
  }
}

/** @throws TransientError when the meaning of the answer is unknown; Error when it says that our request is wrong: a bug */
function bodyOf(status: number, text: string): unknown {
  if (status >= 500) throw unintelligible(status);
  if (status >= 300)
    throw new Error(`The payment provider rejected the request: ${status} ${text.slice(0, 500)}`);
  // No charge is nested that deeply, and parsing it could end the process (platform/http/json-body.ts).
  if (excessOf(text)) throw unintelligible(status);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw unintelligible(status);
  }
}

/** A charge that the provider is still working on is an answer: it must not count against the circuit. */
function chargeIn(body: unknown, paymentId: string): Charge | 'undecided' {
  const { idempotencyKey, status } = (body ?? {}) as Record<string, unknown>;
  if (idempotencyKey !== paymentId || typeof status !== 'string') throw unintelligible(200);
  if (!isFinal(status)) return 'undecided';
  const charge = parseCharge(body);
  if (!charge) throw unintelligible(200);
  return charge;
}

function refusedMethod(): ClientError {
  const message = 'The payment provider does not know this payment method.';
  return new ClientError({
    status: 422,
    /** The payment provider does not know this payment method. Send another one. */
    code: 'payment-method-refused',
    detail: message,
    errors: [{ pointer: '/paymentMethod', code: 'payment-method-refused', message }],
  });
}

function unavailable(cause?: unknown): NotAttemptedError {
  return new NotAttemptedError({
    /** The payment provider cannot be reached. Nothing was charged. Retry later. */
    code: 'payment-provider-unavailable',
    detail: 'The payment provider is unavailable. Nothing was charged; retry later.',
    cause,
  });
}

function noAnswer(cause: unknown): TransientError {
  return new TransientError({
    /**
     * The payment provider has not answered. A payment is then answered 202 and settled later; this code is
     * only in logs.
     */
    code: 'payment-provider-silent',
    detail: 'The payment provider has not answered.',
    cause,
  });
}

function unintelligible(status: number): TransientError {
  return new TransientError({
    /**
     * The payment provider sent an answer that makes no sense. A payment is then answered 202 and settled
     * later; this code is only in logs.
     */
    code: 'payment-provider-failed',
    detail: `The payment provider sent an unusable answer with status ${status}.`,
  });
}
