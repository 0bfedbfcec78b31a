import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/index.js';
import { statusesBefore, type PaymentStatus } from './payment-status.js';

export interface PaymentRow {
  id: string;
  order_id: string;
  user_id: string;
  status: PaymentStatus;
  amount: number;
  currency: string;
  payment_method: string;
  decline_code: string | null;
  created_at: Date;
}

export interface NewPayment {
  id: string;
  orderId: string;
  userId: string;
  amount: number;
  currency: string;
  paymentMethod: string;
}

export interface Settlement {
  status: 'succeeded' | 'declined';
  chargeId?: string;
  declineCode?: string;
  settledBy: string;
}

const COLUMNS = 'id, order_id, user_id, status, amount, currency, payment_method, decline_code, created_at';
const UNSETTLED = "('pending', 'unknown')";

@Injectable()
export class PaymentsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Inserts a pending payment.
   * @param chargingMs how long a request may ask the provider for it, from now
   * @param checkAfterMs when the reconciliation first looks at it
   */
  async insert(payment: NewPayment, chargingMs: number, checkAfterMs: number): Promise<PaymentRow> {
    const { id, orderId, userId, amount, currency, paymentMethod } = payment;
    const [row] = await this.database.query<PaymentRow>({
      name: 'payments-insert',
      text: `INSERT INTO payments
               (id, order_id, user_id, status, amount, currency, payment_method, charging_until, next_check_at)
             VALUES ($1, $2, $3, 'pending', $4, $5, $6,
               now() + make_interval(secs => $7), now() + make_interval(secs => $8))
             RETURNING ${COLUMNS}`,
      values: [id, orderId, userId, amount, currency, paymentMethod, chargingMs / 1000, checkAfterMs / 1000],
    });
    return row as PaymentRow;
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

  /** Records the provider's word. @returns the payment, or undefined when it was settled already or does not exist */
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

  /** Locks a payment that is not settled and that no request can charge any more since `graceMs`. */
  async lockOverdue(id: string, graceMs: number): Promise<boolean> {
    const row = await this.database.queryOne({
      text: `SELECT 1 FROM payments WHERE id = $1 AND status IN ${UNSETTLED}
             AND charging_until + make_interval(secs => $2) < now() FOR UPDATE`,
      values: [id, graceMs / 1000],
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
   * Takes up to `limit` payments whose check is due, for one reconciler alone; they are due again after `againMs`.
   * Found by `ctid`, before the update begins: joined by id, the planner may run the limited subquery anew for each row.
   */
  async claimDue(limit: number, againMs: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>({
      name: 'payments-claim-due',
      text: `UPDATE payments SET next_check_at = now() + make_interval(secs => $2)
             WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM payments WHERE status IN ${UNSETTLED} AND next_check_at <= now()
               ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED))
             RETURNING id`,
      values: [limit, againMs / 1000],
    });
    return rows.map(({ id }) => id);
  }
}
