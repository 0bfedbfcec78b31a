import { DateTimeField, UuidField } from '../../../platform/http/index.js';
import type { PriceDto } from './price.dto.js';
import {
  ProductDescriptionField,
  ProductNameField,
  ProductPriceField,
  ProductStockField,
} from './product-fields.js';

export class ProductDto {
  @UuidField()
  id!: string;

  @ProductNameField()
  name!: string;

  @ProductDescriptionField()
  description!: string;

  @ProductPriceField()
  price!: PriceDto;

  @ProductStockField()
  stock!: number;

  @DateTimeField()
  updatedAt!: string;
}
