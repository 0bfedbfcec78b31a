/** Values are exact below this, in microseconds; above it they are kept to about 3 %. */
const EXACT_BELOW = 64;
const STEPS_PER_OCTAVE = 32;
/** Up to 2^26 microseconds, which is a little over a minute. */
const OCTAVES = 21;
const SLOTS = EXACT_BELOW + OCTAVES * STEPS_PER_OCTAVE;

/**
 * Counts of durations in slots that grow with the duration, after the idea of HdrHistogram: every percentile is known to
 * about 3 %, whatever its size, and two histograms are added slot by slot.
 */
export class Histogram {
  readonly counts: Uint32Array;
  private total = 0;

  constructor(counts: Uint32Array = new Uint32Array(SLOTS)) {
    this.counts = counts;
    for (const count of counts) this.total += count;
  }

  get size(): number {
    return this.total;
  }

  record(milliseconds: number): void {
    this.counts[slotOf(milliseconds * 1_000)]! += 1;
    this.total += 1;
  }

  add(other: Histogram | undefined): void {
    if (!other) return;
    for (let slot = 0; slot < SLOTS; slot += 1) this.counts[slot]! += other.counts[slot]!;
    this.total += other.total;
  }

  /** @returns milliseconds; 0 when nothing was recorded. */
  percentile(percent: number): number {
    let left = Math.ceil((this.total * percent) / 100);
    if (left === 0) return 0;
    for (let slot = 0; slot < SLOTS; slot += 1) {
      left -= this.counts[slot]!;
      if (left <= 0) return valueOf(slot) / 1_000;
    }
    return valueOf(SLOTS - 1) / 1_000;
  }
}

function slotOf(microseconds: number): number {
  const value = Math.max(0, Math.round(microseconds));
  if (value < EXACT_BELOW) return value;
  const octave = Math.floor(Math.log2(value)) - 6;
  if (octave >= OCTAVES) return SLOTS - 1;
  // A value of octave n lies between 64 * 2^n and 128 * 2^n.
  const step = Math.floor(value / 2 ** (octave + 1)) - STEPS_PER_OCTAVE;
  return EXACT_BELOW + octave * STEPS_PER_OCTAVE + step;
}

/** The upper end of a slot: a percentile is never reported smaller than it was. */
function valueOf(slot: number): number {
  if (slot < EXACT_BELOW) return slot;
  const octave = Math.floor((slot - EXACT_BELOW) / STEPS_PER_OCTAVE);
  const step = (slot - EXACT_BELOW) % STEPS_PER_OCTAVE;
  return (STEPS_PER_OCTAVE + step + 1) * 2 ** (octave + 1);
}
