export { describeSettings, type SectionDescription, type SettingDescription } from './describe-settings.js';
export { readEnvironment } from './environment.js';
export { ConfigurationError, loadSettings } from './load-settings.js';
export { PLACEHOLDER } from './placeholder.js';
export { redactor, secretTexts } from './secrets.js';
export { Settings } from './settings.js';
export { SettingsModule } from './settings.module.js';
