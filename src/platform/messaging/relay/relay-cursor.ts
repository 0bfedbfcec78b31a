/** A transaction that takes longer than this from announcing to committing is found by the next look from the start. */
const SETTLED_AFTER_MS = 2000;
const FROM_START_EVERY_MS = 1000;

/**
 * Where the relay starts to look for waiting events.
 *
 * Claimed rows leave dead entries at the front of the index of waiting ones, and while any long transaction is open (an
 * export, a backup) these cannot be cleaned up: a search from the start would step over all of them each time, and the relay
 * would get slower with every event. So it usually starts above what it claimed some time ago; not above what it claimed
 * just now, because transactions do not commit in the order in which they took their positions. Once a second it starts from
 * the beginning, for stragglers and for what was put back.
 */
export class RelayCursor {
  private readonly claims: { position: number; at: number }[] = [];
  private floor = 0;
  private lastFromStart = -Infinity;

  /** The position above which to look. @param now milliseconds of any steady clock */
  next(now: number): number {
    while (this.claims[0] && now - this.claims[0].at > SETTLED_AFTER_MS) {
      this.floor = Math.max(this.floor, this.claims.shift()!.position);
    }
    if (now - this.lastFromStart >= FROM_START_EVERY_MS) {
      this.lastFromStart = now;
      return 0;
    }
    return this.floor;
  }

  /** Tells of a claim. @param position the highest in it */
  claimed(position: number, now: number): void {
    const last = this.claims.at(-1);
    // A claim from below, of events that were put back, must not lower the bar for the time before it.
    if (!last || position > last.position) this.claims.push({ position, at: now });
  }

  /** The next look starts from the beginning: events were put back. */
  rewind(): void {
    this.lastFromStart = -Infinity;
  }
}
