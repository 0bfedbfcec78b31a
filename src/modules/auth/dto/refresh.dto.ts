import { StringField } from '../../../platform/http/index.js';

export class RefreshDto {
  @StringField({
    min: 1,
    max: 256,
    description:
      'The newest refresh token of the session. May be sent again until a token of its answer has been used.',
  })
  refreshToken!: string;
}
