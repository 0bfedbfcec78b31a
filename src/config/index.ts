export { readEnvironment } from './environment.js';
export { ConfigurationError, describeSettings, loadSettings } from './load-settings.js';
export { Settings } from './settings.js';
export { SettingsModule } from './settings.module.js';
