/** An event whose transaction takes longer than this from announcing to committing is found by the next search from the start. */
const SETTLED_AFTER_MS = 2000;
const FROM_START_EVERY_MS = 1000;

/**
 * Where the relay starts to search for waiting events.
 *
 * Claimed rows leave dead entries at the front of the index of waiting ones, and while any long transaction is open (an
 * export, a backup) these cannot be cleaned up: a search from the start would step over all of them each time, and the relay
 * would get slower with every event. So it usually starts after what it claimed some time ago; not after what it claimed just
 * now, because transactions do not commit in the order of their positions. Once a second it starts from the beginning, for
 * stragglers and for events that were put back.
 */
export class RelayCursor {
  private readonly claims: { position: number; at: number }[] = [];
  private floor = 0;
  private lastFromStart = -Infinity;

  /** The position after which to search. @param now milliseconds of any steady clock */
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

  /** Records a claim. @param position the highest in it */
  claimed(position: number, now: number): void {
    const last = this.claims.at(-1);
    // A claim of lower positions, of events that were put back, must not lower the cursor.
    if (!last || position > last.position) this.claims.push({ position, at: now });
  }

  /** The next search starts from the beginning: events were put back. */
  rewind(): void {
    this.lastFromStart = -Infinity;
  }
}
