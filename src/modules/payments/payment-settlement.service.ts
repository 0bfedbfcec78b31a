import { Injectable, Logger } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import { Counter } from 'prom-client';
import { RequestContext } from '../../platform/context/index.js';
import { UnitOfWork } from '../../platform/database/index.js';
import { Outbox } from '../../platform/messaging/index.js';
import { OrdersService } from '../orders/index.js';
import type { Charge } from './charge.js';
import { paymentDeclined, paymentSucceeded } from './payments.events.js';
import {
  PaymentsRepository,
  type DuePayment,
  type PaymentRow,
  type Settlement,
} from './payments.repository.js';

export const DISPUTES = 'payment_disputes_total';

/** The decline code of payments that never reached the provider. */
export const NEVER_CHARGED = 'never-charged';

/**
 * The one place that settles a payment, whether the outcome comes from the provider's answer, its webhook, or the reconciliation.
 * Payment, order and event change in one unit of work, and only for the first report: every later one finds the payment settled
 * and changes nothing.
 */
@Injectable()
export class PaymentSettlement {
  private readonly logger = new Logger(PaymentSettlement.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly orders: OrdersService,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    @InjectMetric(DISPUTES) private readonly disputes: Counter,
  ) {}

  /**
   * Applies the provider's report on a payment. If another amount than the order's was taken, the payment is disputed: it holds
   * its order until an operator decides.
   * @param settledBy `answer`, `webhook <event id>` or `reconciliation`, for later investigations
   * @returns the payment as it now is, or undefined when we have none with that id
   */
  async settle(charge: Charge, settledBy: string): Promise<PaymentRow | undefined> {
    return this.unitOfWork.run(async () => {
      const payment = await this.payments.findById(charge.idempotencyKey);
      if (!payment) return undefined;
      if (charge.status === 'succeeded' && differs(charge, payment)) {
        const disputed = await this.payments.dispute(payment.id, charge, settledBy);
        const current = (await this.payments.findById(payment.id)) ?? payment;
        // A payment that was settled before stays as it is; but unexpected money must be reported.
        if (disputed || (current.status !== 'disputed' && !isDecided(charge, current)))
          this.complain('amount', current, charge);
        return current;
      }
      const { status, id: chargeId, declineCode } = charge;
      const settled = await this.become(payment.id, { status, chargeId, declineCode, settledBy });
      if (settled) return settled;
      const current = (await this.payments.findById(payment.id)) ?? payment;
      // The grace of `settleNeverCharged` was too short for this provider: a customer has paid for nothing.
      if (current.status !== status && current.status !== 'disputed')
        this.complain('outcome', current, charge);
      return current;
    });
  }

  /**
   * Settles a payment for which the provider has no charge as declined, if it is certain that no request can still charge it.
   * @param payment as it was before the provider was asked: the answer does not cover later requests
   */
  async settleNeverCharged(payment: DuePayment): Promise<void> {
    if (!payment.overdue) return;
    await this.unitOfWork.run(async () => {
      // Under the lock, because a retry of the request may have begun to charge while we asked the provider.
      if (!(await this.payments.lockUnchanged(payment))) return;
      await this.become(payment.id, {
        status: 'declined',
        declineCode: NEVER_CHARGED,
        settledBy: 'reconciliation',
      });
    });
  }

  /**
   * An operator's decision on a disputed payment.
   * @param verdict `accepted`: the amount taken pays the order. `refunded`: it was returned; the order can be paid again
   * @returns the payment as it now is, or undefined when there is no disputed payment with that id
   */
  async decide(paymentId: string, verdict: 'accepted' | 'refunded'): Promise<PaymentRow | undefined> {
    return this.unitOfWork.run(async () => {
      const payment = await (verdict === 'accepted'
        ? this.payments.decide(paymentId, 'succeeded')
        : this.payments.decide(paymentId, 'declined', verdict));
      return payment && this.passOn(payment);
    });
  }

  private async become(paymentId: string, settlement: Settlement): Promise<PaymentRow | undefined> {
    const payment = await this.payments.settle(paymentId, settlement);
    return payment && this.passOn(payment);
  }

  /** The effects of a settled payment on its order, and its event. */
  private async passOn(payment: PaymentRow): Promise<PaymentRow> {
    const { id: paymentId, status, orderId, userId, amount, currency } = payment;
    if (status === 'succeeded') await this.orders.markPaid(orderId, paymentId);
    else await this.orders.releaseFromPayment(orderId, paymentId);
    const event = status === 'succeeded' ? paymentSucceeded : paymentDeclined;
    const language = RequestContext.current()?.language;
    const payload = { paymentId, orderId, userId, amount, currency, language };
    await this.outbox.announce(event, payload, { key: orderId });
    return payment;
  }

  private complain(reason: 'amount' | 'outcome', { id, status }: PaymentRow, charge: Charge): void {
    this.disputes.inc({ reason });
    this.logger.error(
      { paymentId: id, status, charge, reason },
      'The provider contradicts the record of a payment; an operator must decide',
    );
  }
}

function differs(charge: Charge, { amount, currency }: PaymentRow): boolean {
  return charge.amount !== amount || charge.currency !== currency;
}

/** Whether an operator has already decided on this report: the provider may deliver its event again afterwards. */
function isDecided(charge: Charge, { chargedAmount, chargedCurrency }: PaymentRow): boolean {
  return charge.amount === chargedAmount && charge.currency === chargedCurrency;
}
