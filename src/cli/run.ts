import type { Settings } from '../config/index.js';
import { runCommand } from '../platform/lifecycle/index.js';
import { PRODUCT } from '../product.js';

/** Runs a command of this product; see `runCommand`. */
export const run = (work: (settings: Settings) => Promise<number>): Promise<void> =>
  runCommand(PRODUCT, work);
