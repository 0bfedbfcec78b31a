import { IntField, StringField } from '../../../platform/http/index.js';

/** The largest price: an order of many expensive items must still add up to a number below 2^53. */
const LARGEST_AMOUNT = 99_999_999_999;

export class PriceDto {
  @IntField({ min: 0, max: LARGEST_AMOUNT, description: 'In the minor unit of the currency.', example: 1990 })
  amount!: number;

  @StringField({
    min: 3,
    max: 3,
    pattern: /^[A-Z]{3}$/,
    patternName: 'an ISO 4217 code',
    description: 'ISO 4217 code.',
    example: 'EUR',
  })
  currency!: string;
}
