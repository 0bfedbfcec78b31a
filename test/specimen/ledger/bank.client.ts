import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../../src/config/index.js';
import { ClientError, NotAttemptedError, TransientError } from '../../../src/platform/errors/index.js';
import { Policies, type Dependency } from '../../../src/platform/resilience/index.js';

export interface Order {
  withdrawalId: string;
  accountId: string;
  amount: number;
  currency: string;
  method: string;
}

export type Verdict = 'succeeded' | 'declined';

/** Whom money is paid out by: a service outside, which pays once for each `withdrawalId`. */
@Injectable()
export class BankClient {
  private readonly bank: Dependency;
  private readonly url: URL;
  private readonly headers: Record<string, string>;

  constructor(@Inject(Settings) { ledger }: Settings, policies: Policies) {
    this.bank = policies.define('bank', {
      timeoutMs: ledger.bankTimeoutMs,
      concurrency: 64,
      breaker: { size: 10, minimumCalls: 3 },
      reopenAfterMs: 2000,
    });
    this.url = new URL('/v1/charges', ledger.bankUrl);
    this.headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${ledger.bankApiKey}` };
  }

  /**
   * @throws NotAttemptedError when it was certainly not asked; ClientError 422 `method-refused`; TransientError when it is
   *   unknown whether it has paid
   */
  async pay({ withdrawalId, accountId, amount, currency, method }: Order): Promise<Verdict> {
    const { status } = await this.send<{ status: Verdict }>(this.url, {
      method: 'POST',
      headers: { ...this.headers, 'Idempotency-Key': withdrawalId },
      body: JSON.stringify({ amount, currency, paymentMethod: method, reference: accountId }),
    });
    return status;
  }

  /** What became of a withdrawal; undefined when the bank was never asked for it. */
  async find(withdrawalId: string): Promise<Verdict | undefined> {
    const url = new URL(`?idempotencyKey=${withdrawalId}`, this.url);
    const { data } = await this.send<{ data: { status: Verdict }[] }>(url, { headers: this.headers });
    return data[0]?.status;
  }

  private send<T>(url: URL, request: RequestInit): Promise<T> {
    return this.bank.execute(async ({ signal }) => {
      const answer = await fetch(url, { ...request, signal }).catch((error: Error) => {
        const details = { code: 'bank-silent', detail: 'The bank has not answered.', cause: error };
        const { code } = (error.cause ?? {}) as { code?: string };
        throw code === 'ECONNREFUSED' ? new NotAttemptedError(details) : new TransientError(details);
      });
      if (answer.status === 429)
        throw new NotAttemptedError({ code: 'bank-busy', detail: 'The bank is busy.' });
      if (answer.status === 422)
        throw new ClientError({
          status: 422,
          code: 'method-refused',
          detail: 'The bank does not know the method.',
        });
      if (!answer.ok)
        throw new TransientError({ code: 'bank-failed', detail: `The bank failed: ${answer.status}.` });
      try {
        return (await answer.json()) as T;
      } catch (cause) {
        throw new TransientError({ code: 'bank-silent', detail: 'The bank has not answered.', cause });
      }
    });
  }
}
