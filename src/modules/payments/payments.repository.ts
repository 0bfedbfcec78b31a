import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/index.js';
import type { Charge } from './charge.js';
import { statusesBefore } from './payment-status.js';
import type { Payment } from './payment.entity.js';

/** `chargedAmount` and `chargedCurrency` are what the provider has taken, once that was disputed. */
export type PaymentRow = Pick<
  Payment,
  | 'id'
  | 'orderId'
  | 'userId'
  | 'status'
  | 'amount'
  | 'currency'
  | 'paymentMethod'
  | 'declineCode'
  | 'chargedAmount'
  | 'chargedCurrency'
  | 'createdAt'
>;

export type NewPayment = Pick<
  PaymentRow,
  'id' | 'orderId' | 'userId' | 'amount' | 'currency' | 'paymentMethod'
>;

/** A payment of which the provider has taken another amount than the order's. */
export type DisputedPayment = Pick<
  Payment,
  'id' | 'orderId' | 'amount' | 'currency' | 'chargeId' | 'chargedAmount' | 'chargedCurrency' | 'updatedAt'
>;

export interface Settlement {
  status: 'succeeded' | 'declined';
  chargeId?: string;
  declineCode?: string;
  settledBy: string;
}

/** An unsettled payment that a reconciler has claimed. */
export interface DuePayment extends Pick<Payment, 'id' | 'amount' | 'currency'> {
  /** The claim's fencing token. */
  claimedUntil: Date;
  /** Moves with each request that may charge it. */
  chargingUntil: Date;
  /** When it was claimed, no request could charge it any more, and none that had been sent was still under way. */
  overdue: boolean;
}

const COLUMNS = `id, order_id AS "orderId", user_id AS "userId", status, amount, currency, payment_method AS "paymentMethod",
  decline_code AS "declineCode", charged_amount AS "chargedAmount", charged_currency AS "chargedCurrency",
  created_at AS "createdAt"`;
const UNSETTLED = "('pending', 'unknown')";

@Injectable()
export class PaymentsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Inserts a pending payment.
   * @param chargingMs how long a request may send it to the provider, from now
   * @param checkAfterMs when the reconciliation first checks it
   */
  async insert(payment: NewPayment, chargingMs: number, checkAfterMs: number): Promise<PaymentRow> {
    const { id, orderId, userId, amount, currency, paymentMethod } = payment;
    const row = await this.database.queryOne<PaymentRow>({
      name: 'payments-insert',
      text: `INSERT INTO payments
               (id, order_id, user_id, status, amount, currency, payment_method, charging_until, next_check_at)
             VALUES ($1, $2, $3, 'pending', $4, $5, $6,
               now() + make_interval(secs => $7), now() + make_interval(secs => $8))
             RETURNING ${COLUMNS}`,
      values: [id, orderId, userId, amount, currency, paymentMethod, chargingMs / 1000, checkAfterMs / 1000],
    });
    return row!;
  }

  /** Allows an unsettled payment to be charged for longer. @returns the payment as it is, settled or not */
  async resume(id: string, chargingMs: number): Promise<PaymentRow | undefined> {
    await this.database.execute({
      text: `UPDATE payments SET charging_until = now() + make_interval(secs => $2)
             WHERE id = $1 AND status IN ${UNSETTLED}`,
      values: [id, chargingMs / 1000],
    });
    return this.findById(id);
  }

  findById(id: string): Promise<PaymentRow | undefined> {
    return this.database.queryOne<PaymentRow>({
      name: 'payments-by-id',
      text: `SELECT ${COLUMNS} FROM payments WHERE id = $1`,
      values: [id],
    });
  }

  /** Records the provider's report. @returns the payment, or undefined when it was already settled or does not exist */
  settle(
    id: string,
    { status, chargeId, declineCode, settledBy }: Settlement,
  ): Promise<PaymentRow | undefined> {
    return this.database.queryOne<PaymentRow>({
      name: 'payments-settle',
      text: `UPDATE payments SET status = $2, charge_id = $3, decline_code = $4, settled_by = $5, updated_at = now()
             WHERE id = $1 AND status = ANY ($6) RETURNING ${COLUMNS}`,
      values: [id, status, chargeId ?? null, declineCode ?? null, settledBy, statusesBefore(status)],
    });
  }

  /** Records that another amount was taken. @returns false when the payment was already settled or does not exist */
  async dispute(id: string, charge: Charge, settledBy: string): Promise<boolean> {
    const changed = await this.database.execute({
      text: `UPDATE payments SET status = 'disputed', charge_id = $2, charged_amount = $3, charged_currency = $4,
               settled_by = $5, updated_at = now()
             WHERE id = $1 AND status = ANY ($6)`,
      values: [id, charge.id, charge.amount, charge.currency, settledBy, statusesBefore('disputed')],
    });
    return changed > 0;
  }

  /** Payments that wait for an operator's decision, oldest first. */
  disputed(limit: number): Promise<DisputedPayment[]> {
    return this.database.query<DisputedPayment>({
      text: `SELECT id, order_id AS "orderId", amount, currency, charge_id AS "chargeId", charged_amount AS "chargedAmount",
               charged_currency AS "chargedCurrency", updated_at AS "updatedAt"
             FROM payments WHERE status = 'disputed' ORDER BY updated_at LIMIT $1`,
      values: [limit],
    });
  }

  /** Records an operator's decision. @returns the payment, or undefined when it is not disputed */
  decide(id: string, status: Settlement['status'], declineCode?: string): Promise<PaymentRow | undefined> {
    return this.database.queryOne<PaymentRow>({
      text: `UPDATE payments SET status = $2, decline_code = $3, settled_by = 'operator', updated_at = now()
             WHERE id = $1 AND status = 'disputed' RETURNING ${COLUMNS}`,
      values: [id, status, declineCode ?? null],
    });
  }

  /** Locks a payment that is not settled, unless a request has begun to charge it again after it was claimed. */
  async lockUnchanged({ id, chargingUntil }: DuePayment): Promise<boolean> {
    const row = await this.database.queryOne({
      text: `SELECT 1 FROM payments WHERE id = $1 AND status IN ${UNSETTLED} AND charging_until = $2 FOR UPDATE`,
      values: [id, chargingUntil],
    });
    return row !== undefined;
  }

  async markUnknown(id: string): Promise<void> {
    await this.database.execute({
      text: `UPDATE payments SET status = 'unknown', updated_at = now() WHERE id = $1 AND status = ANY ($2)`,
      values: [id, statusesBefore('unknown')],
    });
  }

  /** Deletes a payment that was never tried. @returns whether it was still there and pending */
  async deletePending(id: string): Promise<boolean> {
    const deleted = await this.database.execute({
      text: `DELETE FROM payments WHERE id = $1 AND status = 'pending'`,
      values: [id],
    });
    return deleted > 0;
  }

  /**
   * Claims up to `limit` payments whose check is due, for one reconciler alone; they are due again after `graceMs`.
   * Found by `ctid`, before the update begins: joined by id, the planner may run the limited subquery again for each row.
   */
  claimDue(limit: number, graceMs: number): Promise<DuePayment[]> {
    return this.database.query<DuePayment>({
      name: 'payments-claim-due',
      text: `UPDATE payments SET next_check_at = now() + make_interval(secs => $2)
             WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM payments WHERE status IN ${UNSETTLED} AND next_check_at <= now()
               ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED))
             RETURNING id, amount, currency, charging_until AS "chargingUntil", next_check_at AS "claimedUntil",
               charging_until + make_interval(secs => $2) < now() AS overdue`,
      values: [limit, graceMs / 1000],
    });
  }

  /**
   * Postpones a payment whose outcome is still unknown by half of its age, so that one that stays undecided is checked less and
   * less often. A payment that another reconciler has claimed since is left to that one.
   */
  async postpone({ id, claimedUntil }: DuePayment, atMostMs: number): Promise<void> {
    await this.database.execute({
      text: `UPDATE payments
             SET next_check_at = GREATEST(next_check_at, now() + LEAST((now() - created_at) / 2, make_interval(secs => $3)))
             WHERE id = $1 AND next_check_at = $2 AND status IN ${UNSETTLED}`,
      values: [id, claimedUntil, atMostMs / 1000],
    });
  }

  /** Releases claimed payments that were not checked: they are due at once. */
  async handBack(claimed: DuePayment[]): Promise<void> {
    await this.database.execute({
      text: `UPDATE payments SET next_check_at = now()
             FROM unnest($1::uuid[], $2::timestamptz[]) AS claimed (id, until)
             WHERE payments.id = claimed.id AND next_check_at = claimed.until AND status IN ${UNSETTLED}`,
      values: [claimed.map(({ id }) => id), claimed.map(({ claimedUntil }) => claimedUntil)],
    });
  }
}
