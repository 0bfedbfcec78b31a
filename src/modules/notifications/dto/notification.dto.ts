import { DateTimeField, EnumField, StringField, UuidField } from '../../../platform/http/index.js';

export class NotificationDto {
  @UuidField()
  id!: string;

  @StringField({ description: 'Event that caused the notification.', example: 'order.placed' })
  kind!: string;

  @StringField()
  subject!: string;

  @EnumField(['pending', 'sent', 'failed'], {
    description: '`sent`: the mail server accepted it; `failed`: the mail server rejected it permanently.',
  })
  status!: string;

  @DateTimeField()
  createdAt!: string;

  @DateTimeField({ nullable: true })
  sentAt!: string | null;
}
