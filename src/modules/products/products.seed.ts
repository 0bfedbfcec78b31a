import type { Seed } from '../../platform/lifecycle/index.js';
import { ProductsService } from './products.service.js';

const MATERIALS = ['Oak', 'Steel', 'Linen', 'Copper', 'Walnut', 'Wool', 'Slate', 'Brass', 'Ash', 'Cork'];
const THINGS = ['Chair', 'Lamp', 'Table', 'Shelf', 'Clock'];

/** A few demo products, where there are none yet. */
export const seedProducts: Seed = async (context) => {
  const products = context.get(ProductsService, { strict: false });
  const { data } = await products.list({ limit: 1 });
  if (data.length > 0) return 'There are products already; none were added.';
  for (const [i, thing] of THINGS.entries()) {
    for (const [j, material] of MATERIALS.entries()) {
      const name = `${material} ${thing}`;
      const price = { amount: 1900 + i * 2500 + j * 310, currency: 'EUR' };
      await products.create({ name, description: `${name}, made to last.`, price, stock: 100 });
    }
  }
  return `${THINGS.length * MATERIALS.length} products were added.`;
};
