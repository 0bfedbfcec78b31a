import { IntField, ListField, UuidField } from '../../../platform/http/index.js';

export class OrderedItemDto {
  @UuidField()
  productId!: string;

  @IntField({ min: 1, max: 1000 })
  quantity!: number;
}

export class PlaceOrderDto {
  @ListField(() => OrderedItemDto, {
    min: 1,
    max: 50,
    description: 'What to order. A product that is named twice is ordered once, with both quantities.',
  })
  items!: OrderedItemDto[];
}
