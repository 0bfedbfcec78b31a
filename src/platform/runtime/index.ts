export { OutageLog, type KnownFailure } from './outage-log.js';
export { TimedOutError, within } from './within.js';
