/** How often in a row, one heartbeat apart, others must be seen to reach a dependency that this instance cannot reach. */
const SURE_AFTER = 5;

/**
 * Whether an instance that cannot reach a dependency is alone in that: judged from the count of the heartbeats of all instances
 * that reach it, without any clock.
 *
 * Once is not enough: when a dependency fails for all instances, beats that were under way still arrive, after a freeze of Redis
 * all at once. Nor does one silent interval prove anything: beats of a single other instance may be more than one of ours apart.
 * And an instance that leaves needs another that stays, so never all of them leave.
 */
export class CutOff {
  private lastBeats?: number;
  private evidence = 0;
  private alone = false;

  /** The dependency was reached: this instance is not cut off. */
  reached(): void {
    this.lastBeats = undefined;
    this.evidence = 0;
    this.alone = false;
  }

  /**
   * The dependency was not reached.
   * @param beats the count of all instances; undefined when it could not be read, which is no sign that others reach the
   * dependency
   * @returns whether this instance alone is cut off
   */
  missed(beats: number | undefined): boolean {
    const moved = this.lastBeats !== undefined && beats !== undefined && beats !== this.lastBeats;
    this.lastBeats = beats ?? this.lastBeats;
    this.evidence = Math.min(SURE_AFTER, Math.max(0, this.evidence + (moved ? 1 : -1)));
    if (this.evidence === SURE_AFTER) this.alone = true;
    if (this.evidence === 0) this.alone = false;
    return this.alone;
  }
}
