import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { RequestContext, type Caller } from '../../platform/context/index.js';
import { newId } from '../../platform/database/index.js';
import {
  BusinessRuleError,
  ClientError,
  NotAttemptedError,
  TransientError,
} from '../../platform/errors/index.js';
import type { Answer, ResumableWork } from '../../platform/idempotency/index.js';
import { OrdersService } from '../orders/index.js';
import { nothingToCharge, type Charge } from './charge.js';
import type { PaymentDto } from './dto/payment.dto.js';
import { PaymentProviderClient } from './payment-provider.client.js';
import { PaymentSettlement } from './payment-settlement.service.js';
import { PaymentsRepository, type PaymentRow } from './payments.repository.js';

/** The time of a payment beyond the provider's: for recording it before and after. Milliseconds. */
const BOOKKEEPING_MS = 2000;

/** A payment that is being made; `resumed` when an earlier request with the same key may have charged it already. */
interface StartedPayment {
  id: string;
  row: PaymentRow;
  resumed: boolean;
  /** On `performance.now()`'s clock: after this the charge must not be sent. */
  sendBefore: number;
}

@Injectable()
export class PaymentsService {
  private readonly chargingMs: number;
  private readonly checkAfterMs: number;

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly orders: OrdersService,
    private readonly provider: PaymentProviderClient,
    private readonly settlement: PaymentSettlement,
    @Inject(Settings) settings: Settings,
  ) {
    this.chargingMs = settings.payments.timeoutMs + 2 * BOOKKEEPING_MS;
    this.checkAfterMs = settings.payments.reconcileAfterSeconds * 1000;
  }

  /**
   * What it takes to pay an order: 201 when the provider has charged, 402 when it declined, 202 when the outcome is not known yet.
   *
   * The payment is committed before the provider is called and its id is the provider's idempotency key, so after a crash at any
   * point a retry can continue and nothing is charged twice. A 202 is an answer like any other: a retry gets it again, byte for
   * byte, because a key stands for one answer. The outcome is at its `Location`.
   * @throws ClientError 404 `order-not-found`, 422 `payment-method-refused`; BusinessRuleError 402 `payment-declined`,
   *   409 `order-not-payable`, `payment-in-progress`; NotAttemptedError 503 when the provider could not be called
   */
  payment(
    orderId: string,
    userId: string,
    paymentMethod: string,
  ): ResumableWork<StartedPayment, Charge | undefined> {
    return {
      leaseMs: this.chargingMs,
      begin: (earlier) => (earlier ? this.resume(earlier) : this.start(orderId, userId, paymentMethod)),
      perform: (started) => this.charge(started),
      finish: async ({ id }, charge) => answerFor(await this.record(id, charge)),
      abandon: async ({ id, row }) => {
        if (!(await this.payments.deletePending(id))) return false;
        await this.orders.releaseFromPayment(row.orderId, id);
        return true;
      },
    };
  }

  /** @throws ClientError 404 `payment-not-found`, also for another user's */
  async get(orderId: string, id: string, caller: Caller): Promise<PaymentDto> {
    const payment = await this.payments.findById(id);
    const visible =
      payment?.orderId === orderId && (payment.userId === caller.userId || caller.role === 'admin');
    if (visible) return present(payment);
    throw new ClientError({
      status: 404,
      /** The order has no payment with this id that the caller may see. */
      code: 'payment-not-found',
      detail: 'There is no such payment.',
    });
  }

  private async start(orderId: string, userId: string, paymentMethod: string): Promise<StartedPayment> {
    const sendBefore = performance.now() + BOOKKEEPING_MS;
    const id = newId();
    const due = await this.orders.holdForPayment(orderId, userId, id);
    const row = await this.payments.insert(
      { id, orderId, userId, paymentMethod, ...due },
      this.chargingMs,
      this.checkAfterMs,
    );
    return { id, row, resumed: false, sendBefore };
  }

  private async resume(id: string): Promise<StartedPayment> {
    const sendBefore = performance.now() + BOOKKEEPING_MS;
    const row = await this.payments.resume(id, this.chargingMs);
    if (!row) throw new Error(`Payment ${id} is gone, but its idempotency record is not`);
    return { id, row, resumed: true, sendBefore };
  }

  /** Calls the provider, outside of any unit of work. @returns the charge, or undefined when the outcome is not known */
  private async charge({ id, row, resumed, sendBefore }: StartedPayment): Promise<Charge | undefined> {
    if (row.status !== 'pending' && row.status !== 'unknown') return undefined;
    if (row.amount === 0) return nothingToCharge(row);
    try {
      const gone = RequestContext.current()?.abandoned;
      // A process that was stopped in between must not charge a payment that was declined meanwhile.
      if (gone || performance.now() > sendBefore) {
        throw new NotAttemptedError({
          /** It took too long to start the payment. Nothing was charged. Retry. */
          code: 'payment-too-late',
          detail: 'It took too long to start the payment. Nothing was charged; retry.',
          cause: gone,
        });
      }
      // From here on the client may disconnect: a charge that is sent cannot be called back, only its outcome missed.
      const charge = await RequestContext.shielded(() =>
        this.provider.charge({
          paymentId: id,
          orderId: row.orderId,
          amount: row.amount,
          currency: row.currency,
          paymentMethod: row.paymentMethod,
        }),
      );
      return charge === 'undecided' ? undefined : charge;
    } catch (error) {
      // An earlier request may have charged this payment, although this one could not even call the provider.
      if (error instanceof TransientError && (resumed || !(error instanceof NotAttemptedError)))
        return undefined;
      throw error;
    }
  }

  private async record(id: string, charge: Charge | undefined): Promise<PaymentRow> {
    if (charge) await this.settlement.settle(charge, 'answer');
    // Has no effect on a payment that is settled, by this charge or meanwhile by a webhook.
    await this.payments.markUnknown(id);
    const row = await this.payments.findById(id);
    if (!row) throw new Error(`Payment ${id} is gone`);
    return row;
  }
}

function answerFor(row: PaymentRow): Answer | BusinessRuleError {
  const payment = present(row);
  const headers = { Location: `/v1/orders/${row.orderId}/payments/${row.id}` };
  if (row.status === 'declined') {
    return new BusinessRuleError({
      status: 402,
      /**
       * The payment was declined (`declineCode`). Nothing was charged. Pay with another method, under a new
       * Idempotency-Key.
       */
      code: 'payment-declined',
      detail: 'The payment was declined. Nothing was charged; try another payment method.',
      extensions: { payment, declineCode: row.declineCode },
      headers,
    });
  }
  return { status: row.status === 'succeeded' ? 201 : 202, headers, body: payment };
}

function present({ id, orderId, status, amount, currency, createdAt }: PaymentRow): PaymentDto {
  return { id, orderId, status, amount: { amount, currency }, createdAt: createdAt.toISOString() };
}
