import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { ClientError, NotAttemptedError, TransientError } from '../../platform/errors/index.js';
import { Policies, type Dependency } from '../../platform/resilience/index.js';
import { parseCharge, type Charge } from './charge.js';

export interface ChargeRequest {
  /** The idempotency key: the provider charges once for it, however often it is asked. */
  paymentId: string;
  orderId: string;
  /** Minor units. */
  amount: number;
  currency: string;
  paymentMethod: string;
}

/** Errors of making a connection: nothing was sent. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** The payment provider's API. Whether a call may be repeated, how long it may take and how many run at once is policy. */
@Injectable()
export class PaymentProviderClient {
  private readonly provider: Dependency;
  private readonly chargesUrl: URL;
  private readonly authorization: string;

  constructor(@Inject(Settings) { payments }: Settings, policies: Policies) {
    this.provider = policies.for('payment-provider');
    this.chargesUrl = new URL('v1/charges', `${payments.providerUrl.replace(/\/$/, '')}/`);
    this.authorization = `Bearer ${payments.apiKey}`;
  }

  /**
   * Charges, once for each `paymentId`.
   * @throws NotAttemptedError when the provider was certainly not asked
   * @throws ClientError 422 `payment-method-refused` when it does not take the payment method: nothing was charged
   * @throws TransientError when it is unknown whether it has charged: no answer, a broken connection, a 5xx
   */
  async charge({ paymentId, orderId, ...request }: ChargeRequest): Promise<Charge> {
    return this.provider.execute(async ({ signal }) => {
      const response = await this.send(this.chargesUrl, {
        method: 'POST',
        headers: {
          Authorization: this.authorization,
          'Content-Type': 'application/json',
          'Idempotency-Key': paymentId,
        },
        body: JSON.stringify({ ...request, reference: orderId }),
        signal,
      });
      if (response.status === 422) throw refusedMethod();
      if (response.status === 429) throw new NotAttemptedError(busy());
      return chargeIn(await this.bodyOf(response), paymentId);
    });
  }

  /** The charge that was made for a payment, if any. @throws TransientError when the provider does not say */
  async find(paymentId: string): Promise<Charge | undefined> {
    return this.provider.execute(
      async ({ signal }) => {
        const url = new URL(this.chargesUrl);
        url.searchParams.set('idempotencyKey', paymentId);
        const response = await this.send(url, { headers: { Authorization: this.authorization }, signal });
        const { data } = (await this.bodyOf(response)) as { data?: unknown };
        if (!Array.isArray(data)) throw unintelligible(response.status);
        return data.length > 0 ? chargeIn(data[0], paymentId) : undefined;
      },
      { repeatable: true },
    );
  }

  private async send(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, init);
    } catch (error) {
      throw NEVER_CONNECTED.has(codeOf(error) ?? '')
        ? new NotAttemptedError({ ...busy(), cause: error })
        : new TransientError({ ...noAnswer(), cause: error });
    }
  }

  private async bodyOf(response: Response): Promise<unknown> {
    let body: unknown;
    try {
      body = await response.json();
    } catch (error) {
      throw new TransientError({ ...noAnswer(), cause: error });
    }
    if (response.status >= 500) throw unintelligible(response.status);
    // Our key is wrong, or the same payment was sent with another amount: nothing that trying again would mend.
    if (!response.ok) throw new Error(`The payment provider refused the request: ${response.status}`);
    return body;
  }
}

function chargeIn(body: unknown, paymentId: string): Charge {
  const charge = parseCharge(body);
  if (charge?.idempotencyKey !== paymentId) throw unintelligible(200);
  return charge;
}

/** undici hides the reason in `cause`; several addresses of one host give an AggregateError. */
function codeOf(error: unknown): string | undefined {
  const { code, cause, errors } = (error ?? {}) as { code?: unknown; cause?: unknown; errors?: unknown[] };
  if (typeof code === 'string') return code;
  if (cause) return codeOf(cause);
  return errors?.length ? codeOf(errors[0]) : undefined;
}

function refusedMethod(): ClientError {
  const message = 'The payment provider does not know this payment method.';
  return new ClientError({
    status: 422,
    code: 'payment-method-refused',
    detail: message,
    errors: [{ pointer: '/paymentMethod', code: 'payment-method-refused', message }],
  });
}

function busy() {
  return {
    code: 'payment-provider-unavailable',
    detail: 'The payment provider is briefly not available. Nothing was charged; try again.',
  };
}

function noAnswer() {
  return { code: 'payment-provider-silent', detail: 'The payment provider has not answered.' };
}

function unintelligible(status: number): TransientError {
  return new TransientError({
    code: 'payment-provider-failed',
    detail: `The payment provider failed with an answer of status ${status}.`,
  });
}
