import type { PriceDto } from './price.dto.js';
import {
  ProductDescriptionField,
  ProductNameField,
  ProductPriceField,
  ProductStockField,
} from './product-fields.js';

export class CreateProductDto {
  @ProductNameField()
  name!: string;

  @ProductDescriptionField({ optional: true })
  description?: string;

  @ProductPriceField()
  price!: PriceDto;

  @ProductStockField()
  stock!: number;
}
