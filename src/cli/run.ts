import type { Settings } from '../config/index.js';
import { runCommand, type Operator } from '../platform/lifecycle/index.js';
import { PRODUCT } from '../product.js';
import { print } from './print.js';
import { withApplication } from './with-application.js';

/** Runs a command of this product; see `runCommand`. */
export const run = (work: (settings: Settings) => Promise<number>): Promise<void> =>
  runCommand(PRODUCT, work);

/** What commands of features work with. */
export const operator: Operator = {
  run: (work) => run((settings) => withApplication(settings, work)),
  print,
};
