/** Who could not keep up may be this much ahead again afterwards, in milliseconds. More would be a burst. */
const CATCH_UP_MS = 50;

/** Keeps work even: not more than so much in a second, and not in bursts (the leaky bucket, as a virtual schedule). */
export class Pace {
  private dueAt = -Infinity;

  constructor(private readonly perSecond: number) {}

  /**
   * How long to wait before the next piece of work.
   * @param done how much has just been done
   * @param now milliseconds of any steady clock
   * @returns milliseconds; 0 when it is late already
   */
  waitAfter(done: number, now: number): number {
    this.dueAt = Math.max(this.dueAt, now - CATCH_UP_MS) + (done * 1000) / this.perSecond;
    return Math.max(0, this.dueAt - now);
  }
}
