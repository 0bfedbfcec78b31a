/** Where the time of a schedule goes, by phase. */
export class Stopwatch {
  /** Milliseconds of each phase, in the order in which they began. */
  readonly spent: Record<string, number> = {};
  private phase: string | undefined;
  private since = 0;

  /** Ends the present phase and begins this one. */
  begin(phase: string): void {
    this.end();
    this.phase = phase;
  }

  end(): void {
    const now = performance.now();
    if (this.phase !== undefined) this.spent[this.phase] = (this.spent[this.phase] ?? 0) + now - this.since;
    this.phase = undefined;
    this.since = now;
  }
}

export function totalOf(spent: Record<string, number>): number {
  return Object.values(spent).reduce((sum, one) => sum + one, 0);
}

/** The phases and their seconds, for the report. */
export function describeTimes(spent: Record<string, number>): string {
  return Object.entries(spent)
    .map(([phase, milliseconds]) => `${phase} ${(milliseconds / 1_000).toFixed(1)} s`)
    .join(', ');
}
