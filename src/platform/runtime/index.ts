export { atEndOfTurn } from './end-of-turn.js';
export { Members } from './members.js';
export { OutageLog, type KnownFailure } from './outage-log.js';
export { TimedOutError, within } from './within.js';
