import { BooleanField, DateTimeField, StringField, UuidField } from '../../../platform/http/index.js';

export class SessionDto {
  @UuidField()
  id!: string;

  @DateTimeField({ description: 'Time of the login.' })
  createdAt!: string;

  @DateTimeField({ description: 'Time of the login or of the last refresh.' })
  lastUsedAt!: string;

  @StringField({ optional: true, description: 'User-Agent of the login.' })
  userAgent?: string;

  @StringField({ optional: true, description: 'IP address of the login.' })
  ipAddress?: string;

  @BooleanField({ description: 'Whether this request was made with this session.' })
  current!: boolean;
}
