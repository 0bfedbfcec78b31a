import { Members } from '../runtime/index.js';

/** How often running statements are checked for one that takes too long, in milliseconds. */
const WATCH_EVERY_MS = 20;

/** A statement that has been sent. */
export interface Watched {
  /** By `performance.now()`. */
  giveUpAt: number;
  giveUp: () => void;
}

const underWay = new Members<Watched>();
let timer: NodeJS.Timeout | undefined;

/** Times a statement out, unless it is removed before. One timer serves all statements. */
export function watch(statement: Watched): void {
  underWay.add(statement);
  timer ??= setInterval(giveUpLateOnes, WATCH_EVERY_MS).unref();
}

/** Removes a statement. @returns false when it was already removed */
export function unwatch(statement: Watched): boolean {
  return underWay.delete(statement);
}

function giveUpLateOnes(): void {
  if (underWay.size === 0) {
    clearInterval(timer);
    timer = undefined;
  }
  const now = performance.now();
  // After a stall of this process timers run before sockets: answers that have arrived meanwhile are read first.
  for (const one of underWay) if (now >= one.giveUpAt) setImmediate(one.giveUp);
}
