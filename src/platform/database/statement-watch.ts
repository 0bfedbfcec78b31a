import { Members } from '../runtime/index.js';

/** How often statements under way are looked at for one that takes too long, in milliseconds. */
const WATCH_EVERY_MS = 20;

/** A statement that has been sent. */
export interface Watched {
  /** By `performance.now()`. */
  giveUpAt: number;
  giveUp: () => void;
}

const underWay = new Members<Watched>();
let timer: NodeJS.Timeout | undefined;

/** Gives a statement up at its time, unless it is taken off before. One timer does it for all. */
export function watch(statement: Watched): void {
  underWay.add(statement);
  timer ??= setInterval(giveUpLateOnes, WATCH_EVERY_MS).unref();
}

/** Takes a statement off. @returns false when it was off already */
export function unwatch(statement: Watched): boolean {
  return underWay.delete(statement);
}

function giveUpLateOnes(): void {
  if (underWay.size === 0) {
    clearInterval(timer);
    timer = undefined;
  }
  const now = performance.now();
  // After a stall of this process timers run before sockets: what has been answered meanwhile is read first.
  for (const one of underWay) if (now >= one.giveUpAt) setImmediate(one.giveUp);
}
