import { DateTimeField, EnumField, StringField, UuidField } from '../../../platform/http/index.js';

export class NotificationDto {
  @UuidField()
  id!: string;

  @StringField({ description: 'The event that led to it.', example: 'order.placed' })
  kind!: string;

  @StringField()
  subject!: string;

  @EnumField(['pending', 'sent', 'failed'], {
    description: 'sent: the mail server took it; failed: it refused it for good.',
  })
  status!: string;

  @DateTimeField()
  createdAt!: string;

  @DateTimeField({ nullable: true })
  sentAt!: string | null;
}
