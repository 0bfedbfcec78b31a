import { IntField, StringField } from '../../../platform/http/index.js';

export class MoneyDto {
  @IntField({ description: 'Minor units, for example cents.', example: 4050 })
  amount!: number;

  @StringField({ min: 3, max: 3, pattern: /^[A-Z]{3}$/, description: 'ISO 4217 code.', example: 'EUR' })
  currency!: string;
}
