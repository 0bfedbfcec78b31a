import { StringField } from '../../../platform/http/index.js';

export class StartPaymentDto {
  @StringField({
    min: 1,
    max: 100,
    pattern: /^[\w-]+$/,
    patternName: 'the name of a payment method',
    description: 'Identifier of the payment method at the provider.',
    example: 'pm_card_ok',
  })
  paymentMethod!: string;
}
