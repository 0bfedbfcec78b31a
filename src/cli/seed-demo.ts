import type { Settings } from '../config/index.js';
import { SEEDS } from '../product.commands.js';
import { print } from './print.js';
import { withApplication } from './with-application.js';

/** Fills an empty database with demo data; what is there already is left as it is, so that a second run changes nothing. */
export async function seedDemo(settings: Settings): Promise<number> {
  if (settings.app.isProduction) {
    throw new Error(
      'seed:demo creates accounts with a well-known password; it does not run with NODE_ENV=production',
    );
  }
  return withApplication(settings, async (app) => {
    for (const seed of SEEDS) print(await seed(app));
    return 0;
  });
}
