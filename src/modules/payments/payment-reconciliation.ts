import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { NotAttemptedError, TransientError } from '../../platform/errors/index.js';
import { Scheduled } from '../../platform/messaging/index.js';
import { nothingToCharge } from './charge.js';
import { PaymentProviderClient } from './payment-provider.client.js';
import { PaymentSettlement } from './payment-settlement.service.js';
import { PaymentsRepository, type DuePayment } from './payments.repository.js';

/** Payments claimed at once. */
const BATCH = 100;
/** Concurrent calls to the provider. */
const AT_ONCE = 10;
/** Longest wait between two checks of the same payment. */
const ASK_AGAIN_AT_MOST_MS = 600_000;

/**
 * Asks the provider about payments whose outcome never arrived, neither as an answer nor by webhook, and settles them as the
 * provider has them. Several workers share the work: each claims its own payments.
 */
@Injectable()
export class PaymentReconciliation {
  private readonly logger = new Logger(PaymentReconciliation.name);
  private readonly graceMs: number;

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly provider: PaymentProviderClient,
    private readonly settlement: PaymentSettlement,
    @Inject(Settings) settings: Settings,
  ) {
    this.graceMs = settings.payments.reconcileAfterSeconds * 1000;
  }

  @Scheduled({
    name: 'reconcile-payments',
    every: ({ payments }) => Math.min(payments.reconcileAfterSeconds * 1000, 5000),
  })
  async reconcile(): Promise<void> {
    for (;;) {
      const due = await this.payments.claimDue(BATCH, this.graceMs);
      const left = await this.settleAll(due);
      if (left.length > 0) await this.payments.handBack(left);
      if (left.length > 0 || due.length < BATCH) return;
    }
  }

  /**
   * A payment that the provider does not decide, or fails to answer for, does not affect others: it is checked again later, and
   * the run goes on. Only a provider that cannot be reached ends it.
   * @returns those that were not checked
   */
  private async settleAll(due: DuePayment[]): Promise<DuePayment[]> {
    // In random order: the few on which a provider fails, being the oldest, would be first in every run, open the circuit, and
    // end it.
    const waiting = due
      .map((payment) => ({ payment, rank: Math.random() }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ payment }) => payment);
    let away: NotAttemptedError | undefined;
    const settleNext = async (): Promise<void> => {
      const payment = waiting.shift();
      if (!payment) return;
      try {
        if (!(await this.settle(payment))) await this.payments.postpone(payment, ASK_AGAIN_AT_MOST_MS);
      } catch (error) {
        if (error instanceof NotAttemptedError) {
          away = error;
          waiting.push(payment);
        } else {
          this.complain(payment, error);
          await this.payments.postpone(payment, ASK_AGAIN_AT_MOST_MS);
        }
      }
    };
    // The first one alone: a half-open circuit admits one call, and would refuse the nine others.
    await settleNext();
    const inTurn = async (): Promise<void> => {
      while (!away && waiting.length > 0) await settleNext();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, inTurn));
    if (away)
      this.logger.warn({ err: away, left: waiting.length }, 'Payments cannot be reconciled at the moment');
    return waiting;
  }

  /** @returns false when the outcome is not certain yet */
  private async settle(payment: DuePayment): Promise<boolean> {
    // The provider is never called for an amount of zero, so the missing charge proves nothing.
    const charge = payment.amount === 0 ? nothingToCharge(payment) : await this.provider.find(payment.id);
    if (charge === 'undecided') return false;
    if (charge === 'none') await this.settlement.settleNeverCharged(payment);
    else await this.settlement.settle(charge, 'reconciliation');
    return true;
  }

  private complain({ id }: DuePayment, error: unknown): void {
    const details = { paymentId: id, err: error };
    if (error instanceof TransientError) this.logger.warn(details, 'A payment could not be reconciled');
    else this.logger.error(details, 'A payment cannot be reconciled');
  }
}
