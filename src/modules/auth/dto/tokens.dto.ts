import { IntField, StringField } from '../../../platform/http/index.js';

/** Answer of login and refresh, in the words of RFC 6749 section 5.1 but in camelCase. */
export class TokensDto {
  @StringField({ description: 'For `Authorization: <tokenType> <accessToken>`.' })
  accessToken!: string;

  @StringField({ description: 'Valid for one refresh, whose answer has the next one.' })
  refreshToken!: string;

  @StringField({ example: 'Bearer' })
  tokenType!: string;

  @IntField({ description: 'Lifetime of the access token in seconds.' })
  expiresIn!: number;
}
