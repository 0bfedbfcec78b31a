import { Injectable } from '@nestjs/common';
import { PaymentSettlement } from './payment-settlement.service.js';
import { PaymentsRepository } from './payments.repository.js';

/** A payment that waits for an operator's decision. Amounts in minor units. */
export interface Dispute {
  paymentId: string;
  orderId: string;
  chargeId: string | null;
  /** The order's amount. */
  due: string;
  /** The amount that the provider has taken. */
  charged: string;
  since: Date;
}

/** An operator's view of disputed payments, and the decisions about them. */
@Injectable()
export class PaymentDisputes {
  constructor(
    private readonly payments: PaymentsRepository,
    private readonly settlement: PaymentSettlement,
  ) {}

  /** Oldest first. */
  async list(limit: number): Promise<Dispute[]> {
    const rows = await this.payments.disputed(limit);
    return rows.map((row) => ({
      paymentId: row.id,
      orderId: row.orderId,
      chargeId: row.chargeId,
      due: `${row.amount} ${row.currency}`,
      charged: `${row.chargedAmount} ${row.chargedCurrency}`,
      since: row.updatedAt,
    }));
  }

  /**
   * Ends a dispute, once it is settled with the provider.
   * @param verdict `accepted`: the amount taken pays the order. `refunded`: it was returned; the order can be paid again
   * @returns false when there is no disputed payment of that id
   */
  async decide(paymentId: string, verdict: 'accepted' | 'refunded'): Promise<boolean> {
    return (await this.settlement.decide(paymentId, verdict)) !== undefined;
  }
}
