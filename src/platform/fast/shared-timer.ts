import { isFast } from './fast-paths.js';
import { Members } from './members.js';

/** How often what is watched is checked for something that takes too long, in milliseconds. */
const WATCH_EVERY_MS = 20;
/** A timer that is later than this shows that this process has stood still: stopped, throttled, or computing. */
const STALL_MS = 500;

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
let checkedAt = 0;

/**
 * Calls `giveUp` at that moment or up to 20 ms later, unless it is removed before. Time in which this process stood still does not
 * count: what it wanted to send waits for the end of its turn, and of a long answer the socket's buffer holds only the beginning.
 * Otherwise one stall would end every connection, and look like an outage of PostgreSQL. One timer serves all: a timer for each
 * statement outlives each scavenge, see docs/performance.md.
 */
export function watch(watched: Watched): void {
  underWay ??= new Members();
  underWay.add(watched);
  if (!isFast('shared-timer')) wait(watched, Math.max(0, watched.giveUpAt - performance.now()));
  else if (!timer) {
    checkedAt = performance.now();
    timer = setInterval(giveUpLateOnes, WATCH_EVERY_MS).unref();
  }
}

/** @returns false when it was already removed */
export function unwatch(watched: Watched): boolean {
  clearTimeout(watched.timer);
  return underWay?.delete(watched) === true;
}

function wait(watched: Watched, ms: number): void {
  if (ms === Infinity) return;
  const due = performance.now() + ms;
  watched.timer = setTimeout(() => {
    if (performance.now() - due > STALL_MS) wait(watched, ms);
    else setImmediate(watched.giveUp);
  }, ms).unref();
}

function giveUpLateOnes(): void {
  if (!underWay || underWay.size === 0) {
    clearInterval(timer);
    timer = undefined;
    return;
  }
  const now = performance.now();
  const stalledMs = now - checkedAt - WATCH_EVERY_MS;
  checkedAt = now;
  for (const one of underWay) {
    if (stalledMs > STALL_MS) one.giveUpAt += stalledMs;
    // Timers run before sockets: answers that have arrived meanwhile are read first.
    if (now >= one.giveUpAt) setImmediate(one.giveUp);
  }
}
