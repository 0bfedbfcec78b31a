import { IsEmail, IsInt, Max, Min } from 'class-validator';
import { SMTP_TLS } from '../encryption.js';
import { Setting } from '../setting.decorator.js';
import { IsConnectionUrl } from '../validators.js';

export class MailSettings {
  @Setting('SMTP_URL', {
    default: 'smtp://127.0.0.1:1025',
    secret: true,
    required: true,
    encrypted: SMTP_TLS,
    describe: 'Server that takes the mail.',
  })
  @IsConnectionUrl(['smtp:', 'smtps:'])
  url!: string;

  @Setting('MAIL_FROM', { default: 'shop@holdfast.example', describe: 'Sender of the mail.' })
  @IsEmail()
  from!: string;

  @Setting('NOTIFICATION_RETENTION_DAYS', {
    default: 400,
    describe: 'How long it is kept which mail was sent to whom, and shown to its recipient.',
  })
  @IsInt()
  @Min(2)
  @Max(36_500)
  retentionDays!: number;
}
