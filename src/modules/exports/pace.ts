/** How much work that fell behind may catch up, in milliseconds. More would be a burst. */
const CATCH_UP_MS = 50;

/** Keeps work even: a maximum per second, and no bursts (the leaky bucket, as a virtual schedule). */
export class Pace {
  private dueAt = -Infinity;

  constructor(private readonly perSecond: number) {}

  /**
   * How long to wait before the next piece of work.
   * @param done how much has just been done
   * @param now milliseconds of any steady clock
   * @returns milliseconds; 0 when it is already late
   */
  waitAfter(done: number, now: number): number {
    this.dueAt = Math.max(this.dueAt, now - CATCH_UP_MS) + (done * 1000) / this.perSecond;
    return Math.max(0, this.dueAt - now);
  }
}
