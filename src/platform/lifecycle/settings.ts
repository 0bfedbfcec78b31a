import {
  ConfigurationError,
  loadSettings,
  readEnvironment,
  type Product,
  type Settings,
} from '../../config/index.js';

/** The settings of this process; with a wrong configuration it ends here, before anything connects, and says what is wrong. */
export function settingsOrExit(product: Product): Settings {
  try {
    return loadSettings(readEnvironment(), product);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\nSee docs/configuration.md for every variable.\n`);
    process.exit(1);
  }
}
