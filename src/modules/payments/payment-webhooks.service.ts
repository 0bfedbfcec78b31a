import { Inject, Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../config/index.js';
import { ClientError } from '../../platform/errors/index.js';
import { parseCharge } from './charge.js';
import { PaymentSettlement } from './payment-settlement.service.js';
import { verifyWebhook, webhookKey, type WebhookHeaders } from './webhook-signature.js';

const CHARGE_EVENTS = ['charge.succeeded', 'charge.declined'];

/** Receives the payment provider's webhooks. It retries a delivery until it gets a 2xx, and may deliver twice. */
@Injectable()
export class PaymentWebhooksService {
  private readonly logger = new Logger(PaymentWebhooksService.name);
  private readonly verification: { key: Buffer; toleranceSeconds: number };

  constructor(
    private readonly settlement: PaymentSettlement,
    @Inject(Settings) { payments }: Settings,
  ) {
    this.verification = {
      key: webhookKey(payments.webhookSecret),
      toleranceSeconds: payments.webhookToleranceSeconds,
    };
  }

  /**
   * Accepts a delivery. A duplicate is accepted like the first one, so that the provider stops retrying it. So are kinds of
   * events that do not concern us, and payments that we do not have (of another installation with the same account at the
   * provider): an error would only cause endless retries.
   * @throws ClientError 401 `invalid-signature`, 422 when a signed event about a charge holds none
   */
  async receive(headers: WebhookHeaders, body: string): Promise<void> {
    verifyWebhook(headers, body, this.verification);
    // The body parser ensures that it is well-formed, unless it is empty.
    const { type, data } = (JSON.parse(body || 'null') ?? {}) as { type?: unknown; data?: unknown };
    if (!CHARGE_EVENTS.includes(String(type))) return;
    const charge = parseCharge(data);
    if (!charge) {
      throw new ClientError({
        status: 422,
        code: 'validation-failed',
        detail: 'The event holds no charge.',
        errors: [{ pointer: '/data', code: 'is-charge', message: 'data must be a charge' }],
      });
    }
    if (!(await this.settlement.settle(charge, `webhook ${headers.id}`))) {
      this.logger.warn(
        { eventId: headers.id, chargeId: charge.id },
        'A webhook refers to an unknown payment',
      );
    }
  }
}
