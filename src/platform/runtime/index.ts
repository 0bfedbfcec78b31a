export { atEndOfTurn } from './end-of-turn.js';
export { Members } from './members.js';
