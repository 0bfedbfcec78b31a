import { StringField } from '../../../platform/http/index.js';

const Line = (max: number, example: string) =>
  StringField({
    min: 1,
    max,
    pattern: /^\p{Zs}*[^\p{Cc}\p{Z}][^\p{Cc}]*$/u,
    patternName: 'one line of text',
    example,
  });

/** The fields of an address that a customer sets. */
export class AddressFieldsDto {
  @Line(200, 'Ada Lovelace')
  recipient!: string;

  @Line(200, '12 St James’s Square')
  street!: string;

  @Line(20, 'SW1Y 4JH')
  postalCode!: string;

  @Line(100, 'London')
  city!: string;

  @StringField({
    min: 2,
    max: 2,
    pattern: /^[A-Z]{2}$/,
    patternName: 'an ISO 3166-1 alpha-2 code',
    description: 'ISO 3166-1 alpha-2 code.',
    example: 'GB',
  })
  country!: string;
}
