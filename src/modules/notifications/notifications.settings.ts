import { IsEmail, IsInt, Max, Min } from 'class-validator';
import { type Encryption, IsConnectionUrl, Setting } from '../../config/index.js';

declare module '../../config/settings.js' {
  interface FeatureSettings {
    notifications: NotificationsSettings;
  }
}

/** From the first byte, or by STARTTLS before anything is said (nodemailer reads its options from the query). */
const SMTP_TLS: Encryption = {
  hint: 'use smtps://, or smtp:// with requireTLS=true for STARTTLS',
  isIn: ({ protocol, searchParams }) => protocol === 'smtps:' || searchParams.get('requireTLS') === 'true',
};

export class NotificationsSettings {
  @Setting('SMTP_URL', {
    default: 'smtp://127.0.0.1:1025',
    secret: true,
    required: true,
    encrypted: SMTP_TLS,
    describe: 'SMTP server.',
  })
  @IsConnectionUrl(['smtp:', 'smtps:'])
  url!: string;

  @Setting('MAIL_FROM', {
    default: (product) => `shop@${product}.example`,
    describe: 'Sender address of mails.',
  })
  @IsEmail()
  from!: string;

  @Setting('NOTIFICATION_RETENTION_DAYS', {
    default: 400,
    describe: 'How long notifications are kept and shown to their recipients.',
  })
  @IsInt()
  @Min(2)
  @Max(36_500)
  retentionDays!: number;
}
