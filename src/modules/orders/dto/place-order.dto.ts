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
    description: 'The products to order. The quantities of a product that is listed twice are added.',
  })
  items!: OrderedItemDto[];
}
