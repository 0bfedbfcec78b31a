export { atEndOfTurn } from './end-of-turn.js';
export { isFast, switchOff } from './fast-paths.js';
export { Members } from './members.js';
export { unwatch, watch, type Watched } from './shared-timer.js';
