import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { TransientError } from '../../platform/errors/index.js';
import { Scheduled } from '../../platform/messaging/index.js';
import { PaymentProviderClient } from './payment-provider.client.js';
import { PaymentSettlement } from './payment-settlement.service.js';
import { PaymentsRepository } from './payments.repository.js';

/** Payments looked at in one run; what is left waits for the next. */
const BATCH = 100;
/** Questions to the provider at once. */
const AT_ONCE = 10;

/**
 * Asks the provider about payments whose outcome never arrived, neither as an answer nor by webhook, and settles them to
 * its truth. Several workers share the work: each claims its own payments.
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
    const due = await this.payments.claimDue(BATCH, this.graceMs);
    for (let start = 0; start < due.length; start += AT_ONCE) {
      const asked = await Promise.allSettled(due.slice(start, start + AT_ONCE).map((id) => this.settle(id)));
      const failed = asked.find((result) => result.status === 'rejected');
      if (!failed) continue;
      // When the provider is away the others would only wait for it too; they are due again soon.
      if (!(failed.reason instanceof TransientError)) throw failed.reason;
      this.logger.warn(
        { err: failed.reason as Error, left: due.length - start },
        'Payments cannot be reconciled at the moment',
      );
      break;
    }
  }

  private async settle(paymentId: string): Promise<void> {
    const charge = await this.provider.find(paymentId);
    if (charge) await this.settlement.settle(charge, 'reconciliation');
    else await this.settlement.settleNeverCharged(paymentId, this.graceMs);
  }
}
