import { DateTimeField, EnumField, ObjectField, UuidField } from '../../../platform/http/index.js';
import { MoneyDto } from '../../orders/index.js';
import { PAYMENT_STATUSES, type PaymentStatus } from '../payment-status.js';

export class PaymentDto {
  @UuidField()
  id!: string;

  @UuidField()
  orderId!: string;

  @EnumField(PAYMENT_STATUSES, {
    description:
      '`unknown`: the provider has not reported the outcome yet; it is settled later. `disputed`: another amount was charged; an operator decides.',
  })
  status!: PaymentStatus;

  @ObjectField(() => MoneyDto)
  amount!: MoneyDto;

  @DateTimeField()
  createdAt!: string;
}
