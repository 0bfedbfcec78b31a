import { Injectable, Logger } from '@nestjs/common';
import { InjectMetric } from '@willsoto/nestjs-prometheus';
import { Counter } from 'prom-client';
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
 * The one place where the outcome of a payment becomes true, wherever it was learned: from the provider's answer, from its
 * webhook, or by asking. Payment, order and event change in one unit of work, and only for the first to come: every later
 * word on the same payment finds it settled and changes nothing.
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
   * Takes over the provider's word on a payment. One of which another amount was taken than the order's is disputed: it holds its order
   * until an operator decides.
   * @param settledBy `answer`, `webhook <event id>` or `reconciliation`, for whoever looks into a payment later
   * @returns the payment as it now is, or undefined when we have none of that id
   */
  async settle(charge: Charge, settledBy: string): Promise<PaymentRow | undefined> {
    return this.unitOfWork.run(async () => {
      const payment = await this.payments.findById(charge.idempotencyKey);
      if (!payment) return undefined;
      if (charge.status === 'succeeded' && differs(charge, payment)) {
        const disputed = await this.payments.dispute(payment.id, charge, settledBy);
        const current = (await this.payments.findById(payment.id)) ?? payment;
        // Settled before, it stays as it is; but money that nobody knows of must not pass in silence.
        if (disputed || (current.status !== 'disputed' && !isDecided(charge, current)))
          this.complain('amount', current, charge);
        return current;
      }
      const { status, id: chargeId, declineCode } = charge;
      const settled = await this.become(payment.id, { status, chargeId, declineCode, settledBy });
      if (settled) return settled;
      const current = (await this.payments.findById(payment.id)) ?? payment;
      // The grace of `settleNeverCharged` was too short for this provider: somebody has paid for nothing.
      if (current.status !== status && current.status !== 'disputed')
        this.complain('outcome', current, charge);
      return current;
    });
  }

  /**
   * Settles a payment that the provider knows nothing about as declined, if it is certain that no request can still charge it.
   * @param payment as it was before the provider was asked: its answer says nothing about requests that came after it
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
   * @param verdict `accepted`: what was taken pays the order. `refunded`: it was given back; the order can be paid again
   * @returns the payment as it now is, or undefined when there is no disputed payment of that id
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

  /** What a settled payment means for its order, and for everybody else. */
  private async passOn(payment: PaymentRow): Promise<PaymentRow> {
    const { id: paymentId, status } = payment;
    const { order_id: orderId, user_id: userId, amount, currency } = payment;
    if (status === 'succeeded') await this.orders.markPaid(orderId, paymentId);
    else await this.orders.releaseFromPayment(orderId, paymentId);
    const event = status === 'succeeded' ? paymentSucceeded : paymentDeclined;
    await this.outbox.announce(event, { paymentId, orderId, userId, amount, currency }, { key: orderId });
    return payment;
  }
  private complain(reason: 'amount' | 'outcome', { id, status }: PaymentRow, charge: Charge): void {
    this.disputes.inc({ reason });
    this.logger.error(
      { paymentId: id, status, charge, reason },
      'The provider contradicts what we know of a payment; an operator has to look into it',
    );
  }
}

function differs(charge: Charge, { amount, currency }: PaymentRow): boolean {
  return charge.amount !== amount || charge.currency !== currency;
}

/** Whether this is what an operator has decided upon: the provider may deliver its event again afterwards. */
function isDecided(charge: Charge, { charged_amount, charged_currency }: PaymentRow): boolean {
  return charge.amount === charged_amount && charge.currency === charged_currency;
}
