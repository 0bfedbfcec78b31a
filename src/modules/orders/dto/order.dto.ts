import {
  DateTimeField,
  EnumField,
  IntField,
  ListField,
  ObjectField,
  StringField,
  UuidField,
} from '../../../platform/http/index.js';
import { ORDER_STATUSES, type OrderStatus } from '../order-status.js';
import { MoneyDto } from './money.dto.js';

export class OrderItemDto {
  @UuidField()
  productId!: string;

  @StringField({ description: 'Name of the product at the time of the order.' })
  name!: string;

  @IntField({ min: 1 })
  quantity!: number;

  @ObjectField(() => MoneyDto, { description: 'Price of one piece at the time of the order.' })
  unitPrice!: MoneyDto;
}

export class OrderDto {
  @UuidField()
  id!: string;

  @EnumField(ORDER_STATUSES)
  status!: OrderStatus;

  @ListField(() => OrderItemDto)
  items!: OrderItemDto[];

  @ObjectField(() => MoneyDto)
  total!: MoneyDto;

  @DateTimeField()
  createdAt!: string;

  @DateTimeField()
  updatedAt!: string;
}
