import { IsInt, Max, Min, MinLength } from 'class-validator';
import { byProtocol, IsConnectionUrl, PLACEHOLDER, Setting } from '../../../src/config/index.js';

declare module '../../../src/config/settings.js' {
  interface FeatureSettings {
    ledger: LedgerSettings;
  }
}

export class LedgerSettings {
  @Setting('BANK_URL', {
    default: 'http://127.0.0.1:4010',
    required: true,
    encrypted: byProtocol('https:'),
    describe: 'Base address of the bank that pays withdrawals out.',
  })
  @IsConnectionUrl(['http:', 'https:'])
  bankUrl!: string;

  @Setting('BANK_API_KEY', {
    default: `${PLACEHOLDER}bank-key`,
    secret: true,
    describe: 'Bearer key of the bank.',
  })
  @MinLength(16)
  bankApiKey!: string;

  @Setting('BANK_TIMEOUT_MS', {
    default: 2500,
    describe: 'After this the outcome of a withdrawal is unknown.',
  })
  @IsInt()
  @Min(50)
  @Max(60_000)
  bankTimeoutMs!: number;

  @Setting('BANK_SETTLE_AFTER_SECONDS', {
    default: 10,
    describe: 'Age at which the bank is asked about an unsettled withdrawal.',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  settleAfterSeconds!: number;

  @Setting('SMTP_URL', {
    default: 'smtp://127.0.0.1:1025',
    secret: true,
    required: true,
    encrypted: byProtocol('smtps:'),
    describe: 'SMTP server for receipts.',
  })
  @IsConnectionUrl(['smtp:', 'smtps:'])
  smtpUrl!: string;
}
