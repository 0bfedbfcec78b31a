import { describe, expect, it } from 'vitest';
import { etagOf, isCurrentFormat, PRODUCT_FORMAT, renderProduct, versionIn } from './product.document.js';

const row = {
  id: '019aa000-0000-7000-8000-000000000000',
  name: 'Oak Chair',
  description: 'Made to last.',
  priceAmount: 1990,
  currency: 'EUR',
  stock: 5,
  version: 7,
  updatedAt: new Date('2026-11-20T12:00:00Z'),
};

/** Every shape that a release has used for products. Lines are added, never changed: clients hold tags of each. */
const SHAPES: Record<number, string> = {
  1: 'description: string, id: string, name: string, price.amount: number, price.currency: string, stock: number, updatedAt: string',
};

function shapeOf(value: unknown, name = ''): string[] {
  if (typeof value !== 'object' || value === null)
    return [`${name}: ${value === null ? 'null' : typeof value}`];
  return Object.entries(value)
    .flatMap(([member, inner]) => shapeOf(inner, name ? `${name}.${member}` : member))
    .toSorted();
}

describe('The format of a product', () => {
  it('has a different number than all earlier formats', () => {
    const shape = shapeOf(JSON.parse(renderProduct(row).body)).join(', ');
    // Fails after a change of the shape: raise PRODUCT_FORMAT and add the new shape under its number.
    expect(shape).toBe(SHAPES[PRODUCT_FORMAT]);
    expect(Object.values(SHAPES).filter((other) => other === shape)).toHaveLength(1);
  });

  it('is part of the tag, so that the same version in an earlier format does not match', () => {
    expect(renderProduct(row).etag).toBe(`"${PRODUCT_FORMAT}-7"`);
    expect(isCurrentFormat(renderProduct(row))).toBe(true);
    expect(isCurrentFormat({ ...renderProduct(row), etag: '"7"' })).toBe(false);
    expect(isCurrentFormat({ ...renderProduct(row), etag: `"${PRODUCT_FORMAT + 1}-7"` })).toBe(false);
  });

  it.each([
    [etagOf(7), 7],
    ['"9-7"', 7],
    ['"7"', 7],
    ['"7-"', undefined],
    ['"x-7"', undefined],
    ['W/"1-7"', undefined],
    ['""', undefined],
  ])('does not prevent a change: %s names version %s', (etag, version) => {
    expect(versionIn(etag)).toBe(version);
  });
});
