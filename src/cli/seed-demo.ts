import { ProductsService } from '../modules/products/index.js';
import { UsersService } from '../modules/users/index.js';
import type { Settings } from '../config/index.js';
import { withApplication } from './with-application.js';
import { print } from './print.js';

const PASSWORD = 'holdfast-demo-password';
const ACCOUNTS = [
  { email: 'admin@example.com', name: 'Ada Admin', admin: true },
  { email: 'customer@example.com', name: 'Carl Customer', admin: false },
];
const MATERIALS = ['Oak', 'Steel', 'Linen', 'Copper', 'Walnut', 'Wool', 'Slate', 'Brass', 'Ash', 'Cork'];
const THINGS = ['Chair', 'Lamp', 'Table', 'Shelf', 'Clock'];

/** Fills a shop with demo data; what is there already is left as it is, so that a second run changes nothing. */
export async function seedDemo(settings: Settings): Promise<number> {
  if (settings.app.isProduction) {
    throw new Error(
      'seed:demo makes accounts with a well-known password; it does not run with NODE_ENV=production',
    );
  }
  return withApplication(settings, async (app) => {
    const users = app.get(UsersService, { strict: false });
    const products = app.get(ProductsService, { strict: false });
    for (const { email, name, admin } of ACCOUNTS) {
      if (await users.isRegistered(email)) continue;
      await users.register({ email, name, password: PASSWORD });
      if (admin) await users.promote(email);
    }
    const { data } = await products.list({ limit: 1 });
    if (data.length > 0) {
      print('There are products already; none were added.');
      return 0;
    }
    for (const [i, thing] of THINGS.entries()) {
      for (const [j, material] of MATERIALS.entries()) {
        const name = `${material} ${thing}`;
        const price = { amount: 1900 + i * 2500 + j * 310, currency: 'EUR' };
        await products.create({ name, description: `${name}, made to last.`, price, stock: 100 });
      }
    }
    print(
      `Demo data is in: ${THINGS.length * MATERIALS.length} products, ${ACCOUNTS.map(({ email }) => email).join(' and ')}.`,
    );
    return 0;
  });
}
