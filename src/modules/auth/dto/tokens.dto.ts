import { IntField, StringField } from '../../../platform/http/index.js';

/** Answer of login and refresh, in the words of RFC 6749 section 5.1 but in camelCase. */
export class TokensDto {
  @StringField({ description: 'For `Authorization: <tokenType> <accessToken>`.' })
  accessToken!: string;

  @StringField({ description: 'For one refresh; that answer brings the next.' })
  refreshToken!: string;

  @StringField({ example: 'Bearer' })
  tokenType!: string;

  @IntField({ description: 'Seconds that the access token is good for.' })
  expiresIn!: number;
}
