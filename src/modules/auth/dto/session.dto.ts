import { BooleanField, DateTimeField, StringField, UuidField } from '../../../platform/http/index.js';

export class SessionDto {
  @UuidField()
  id!: string;

  @DateTimeField({ description: 'When it began with a login.' })
  createdAt!: string;

  @DateTimeField({ description: 'Login or last refresh.' })
  lastUsedAt!: string;

  @StringField({ optional: true, description: 'What the client called itself at login.' })
  userAgent?: string;

  @StringField({ optional: true, description: 'Where the login came from.' })
  ipAddress?: string;

  @BooleanField({ description: 'Whether this very request is made with it.' })
  current!: boolean;
}
