import {
  ConfigurationError,
  loadSettings,
  readEnvironment,
  type Product,
  type Settings,
} from '../../config/index.js';
import { switchOff } from '../fast/index.js';

/**
 * The settings of this process. With an invalid configuration the process ends here, before anything connects, and reports the
 * problems.
 */
export function settingsOrExit(product: Product): Settings {
  try {
    const settings = loadSettings(readEnvironment(), product);
    switchOff(settings.fast.off);
    return settings;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\nSee docs/configuration.md for every variable.\n`);
    process.exit(1);
  }
}
