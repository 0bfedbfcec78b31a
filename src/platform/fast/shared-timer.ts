import { isFast } from './fast-paths.js';
import { Members } from './members.js';

/** How often what is watched is checked for something that takes too long, in milliseconds. */
const WATCH_EVERY_MS = 20;

/** Something that may take until a moment. */
export interface Watched {
  /** By `performance.now()`. */
  giveUpAt: number;
  giveUp: () => void;
  /** Its own, where it does not share one. */
  timer?: NodeJS.Timeout;
}

let underWay: Members<Watched> | undefined;
let timer: NodeJS.Timeout | undefined;

/**
 * Calls `giveUp` at that moment or up to 20 ms later, unless it is removed before. One timer serves all: a timer for each
 * statement outlives each scavenge, see docs/performance.md.
 */
export function watch(watched: Watched): void {
  underWay ??= new Members();
  underWay.add(watched);
  if (isFast('shared-timer')) timer ??= setInterval(giveUpLateOnes, WATCH_EVERY_MS).unref();
  else if (watched.giveUpAt < Infinity) {
    const waitMs = Math.max(0, watched.giveUpAt - performance.now());
    watched.timer = setTimeout(() => setImmediate(watched.giveUp), waitMs).unref();
  }
}

/** @returns false when it was already removed */
export function unwatch(watched: Watched): boolean {
  clearTimeout(watched.timer);
  return underWay?.delete(watched) === true;
}

function giveUpLateOnes(): void {
  if (!underWay || underWay.size === 0) {
    clearInterval(timer);
    timer = undefined;
    return;
  }
  const now = performance.now();
  // After a stall of this process timers run before sockets: answers that have arrived meanwhile are read first.
  for (const one of underWay) if (now >= one.giveUpAt) setImmediate(one.giveUp);
}
