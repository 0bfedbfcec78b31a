import { StringField } from '../../../platform/http/index.js';

export class RefreshDto {
  @StringField({
    min: 1,
    max: 256,
    description: 'The newest one of the session. May be sent again until an answer to it was used.',
  })
  refreshToken!: string;
}
