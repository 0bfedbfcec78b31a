import { startProduct, type ProductUnderTest } from '../e2e/product-under-test.js';
import { createTables } from './create-tables.js';
import { PRODUCT as FEATURES } from './product.modules.js';
import { PRODUCT } from './product.js';

/** The ledger in this process, over HTTP, on servers of its own: for tests of the platform. */
export type LedgerUnderTest = ProductUnderTest;

/** @param env settings, as environment variables */
export function startLedger(env: Record<string, string> = {}): Promise<LedgerUnderTest> {
  return startProduct(env, { product: PRODUCT, features: FEATURES, migrate: createTables });
}
