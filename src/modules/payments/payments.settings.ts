import { IsInt, Max, Min, MinLength } from 'class-validator';
import { byProtocol, IsConnectionUrl, IsSigningSecret, PLACEHOLDER, Setting } from '../../config/index.js';

declare module '../../config/settings.js' {
  interface FeatureSettings {
    payments: PaymentsSettings;
  }
}

export class PaymentsSettings {
  @Setting('PAYMENT_PROVIDER_URL', {
    default: 'http://127.0.0.1:4010',
    required: true,
    encrypted: byProtocol('https:'),
    describe: 'Base address of the payment provider.',
  })
  @IsConnectionUrl(['http:', 'https:'])
  providerUrl!: string;

  @Setting('PAYMENT_PROVIDER_API_KEY', {
    default: `${PLACEHOLDER}payment-key`,
    secret: true,
    describe: 'Bearer key of the payment provider.',
  })
  @MinLength(16)
  apiKey!: string;

  @Setting('PAYMENT_PROVIDER_TIMEOUT_MS', {
    default: 2500,
    describe: 'How long a charge may take before its outcome counts as unknown (answer 202, settled later).',
  })
  @IsInt()
  @Min(50)
  @Max(60_000)
  timeoutMs!: number;

  @Setting('PAYMENT_WEBHOOK_SECRET', {
    default: `${PLACEHOLDER}webhook-secret`,
    secret: true,
    describe:
      'Key of the HMAC on the webhooks of the payment provider: `whsec_` and base64 as Standard Webhooks has it, or any other string as it is.',
  })
  @IsSigningSecret(16)
  webhookSecret!: string;

  @Setting('PAYMENT_WEBHOOK_TOLERANCE_SECONDS', {
    default: 300,
    describe: 'Age beyond which a signed webhook is refused.',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  webhookToleranceSeconds!: number;

  @Setting('PAYMENT_RECONCILE_AFTER_SECONDS', {
    default: 10,
    describe: 'Age at which an unsettled payment is looked up at the provider.',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  reconcileAfterSeconds!: number;
}
