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

/**
 * The version of the shape of products. Raise it with every change of the shape, such as a new member (a test compares): a
 * client, or a process, that holds the same version in the shape of an earlier release must not get a 304.
 */
export const PRODUCT_FORMAT = 1;

/** A product as the API returns it. */
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
  const { id, version } = row;
  return { id, version, etag: etagOf(version), body: JSON.stringify(present(row)) };
}

export function etagOf(version: number): string {
  return `"${PRODUCT_FORMAT}-${version}"`;
}

/**
 * The version in a tag, of either format: `If-Match` protects changes from being lost, and changes count by version alone.
 * Clients of the previous release need not read again during a rollout.
 */
export function versionIn(etag: string): number | undefined {
  const [, version] = /^"(?:\d{1,9}-)?(\d{1,9})"$/.exec(etag) ?? [];
  return version === undefined ? undefined : Number(version);
}

/** Whether this release has rendered it. */
export function isCurrentFormat({ etag, version }: ProductDocument): boolean {
  return etag === etagOf(version);
}

/** A page has no version; its tag is made from its content. */
export function renderPage(page: Page<ProductDto>): Rendered {
  const body = JSON.stringify(page);
  return { body, etag: `"${hash('sha1', body, 'base64url')}"` };
}

/** Bytes of memory; a character takes up to two, everything else next to nothing. */
export function sizeOfRendered({ body }: Rendered): number {
  return 2 * body.length + 200;
}
