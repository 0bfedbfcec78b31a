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
    describe: 'Base URL of the payment provider.',
  })
  @IsConnectionUrl(['http:', 'https:'])
  providerUrl!: string;

  @Setting('PAYMENT_PROVIDER_API_KEY', {
    default: `${PLACEHOLDER}payment-key`,
    secret: true,
    describe: 'API key of the payment provider.',
  })
  @MinLength(16)
  apiKey!: string;

  @Setting('PAYMENT_PROVIDER_TIMEOUT_MS', {
    default: 2500,
    describe:
      'How long a charge may take before its outcome counts as unknown (answered 202, settled later).',
  })
  @IsInt()
  @Min(50)
  @Max(60_000)
  timeoutMs!: number;

  @Setting('PAYMENT_WEBHOOK_SECRET', {
    default: `${PLACEHOLDER}webhook-secret`,
    secret: true,
    describe:
      'Signing secret of the webhooks of the payment provider (HMAC): `whsec_` and base64 as in Standard Webhooks, or any other string.',
  })
  @IsSigningSecret(16)
  webhookSecret!: string;

  @Setting('PAYMENT_WEBHOOK_TOLERANCE_SECONDS', {
    default: 300,
    describe: 'Maximum age of a signed webhook; older ones are rejected.',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  webhookToleranceSeconds!: number;

  @Setting('PAYMENT_RECONCILE_AFTER_SECONDS', {
    default: 10,
    describe: 'Age at which the provider is asked about an unsettled payment.',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  reconcileAfterSeconds!: number;
}
