import { IntField, ObjectField, StringField } from '../../../platform/http/index.js';
import { PriceDto } from './price.dto.js';

interface Presence {
  optional?: boolean;
}

/** Far enough below the column's maximum that returning ordered quantities cannot overflow it. */
const LARGEST_STOCK = 1_000_000_000;

/** The fields of a product, with the same limits when it is created and when it is changed. */
export const ProductNameField = (presence: Presence = {}) =>
  StringField({
    min: 1,
    max: 200,
    // The name goes into mails and exports; a line break would break their lines.
    pattern: /^\p{Zs}*[^\p{Cc}\p{Z}][^\p{Cc}]*$/u,
    patternName: 'a name without control characters',
    example: 'Oak Chair',
    ...presence,
  });

export const ProductDescriptionField = (presence: Presence = {}) => StringField({ max: 5000, ...presence });

export const ProductPriceField = (presence: Presence = {}) => ObjectField(() => PriceDto, presence);

export const ProductStockField = (presence: Presence = {}) =>
  IntField({ max: LARGEST_STOCK, description: 'Number of pieces in stock.', example: 100, ...presence });
