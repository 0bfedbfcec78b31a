import type { PriceDto } from './price.dto.js';
import {
  ProductDescriptionField,
  ProductNameField,
  ProductPriceField,
  ProductStockField,
} from './product-fields.js';

export class ChangeProductDto {
  @ProductNameField({ optional: true })
  name?: string;

  @ProductDescriptionField({ optional: true })
  description?: string;

  @ProductPriceField({ optional: true })
  price?: PriceDto;

  @ProductStockField({ optional: true })
  stock?: number;
}
