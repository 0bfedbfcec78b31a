import type { Product } from '../../src/config/index.js';
import { AuthSettings } from '../../src/modules/auth/auth.settings.js';
import { LedgerSettings } from './ledger/ledger.settings.js';

/** What takes the place of src/product.ts where the platform is tested. Its names are those that the tests of the platform look for. */
export const PRODUCT: Product = {
  name: 'holdfast',
  title: 'Holdfast',
  description: 'A ledger for tests.',
  settings: { auth: AuthSettings, ledger: LedgerSettings },
};
