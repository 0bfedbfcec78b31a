import { hash } from 'node:crypto';
import type { Page } from '../../platform/http/index.js';
import type { ProductDto } from './dto/product.dto.js';
import type { ProductRow } from './products.repository.js';

/** An answer that is rendered once and sent many times. */
export interface Rendered {
  /** JSON text. */
  body: string;
  /** Strong entity tag, quotes included. */
  etag: string;
}

/** A product as it is answered. */
export interface ProductDocument extends Rendered {
  id: string;
  version: number;
}

export function present(row: ProductRow): ProductDto {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    price: { amount: row.priceAmount, currency: row.currency },
    stock: row.stock,
    updatedAt: row.updatedAt.toISOString(),
  };
}

export function renderProduct(row: ProductRow): ProductDocument {
  return { id: row.id, version: row.version, etag: `"${row.version}"`, body: JSON.stringify(present(row)) };
}

/** A page has no version of its own; its content is what tells two of them apart. */
export function renderPage(page: Page<ProductDto>): Rendered {
  const body = JSON.stringify(page);
  return { body, etag: `"${hash('sha1', body, 'base64url')}"` };
}

/** Bytes of memory; a character takes up to two, and what else there is next to nothing. */
export function sizeOfRendered({ body }: Rendered): number {
  return 2 * body.length + 200;
}
