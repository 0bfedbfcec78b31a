/** 12345.6 -> "12,346" */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function ms(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** ` (timeout 3, reset 1)` or nothing. */
export function worstOf(failures: Record<string, number>): string {
  const kinds = byFrequency(failures);
  return kinds === '' ? '' : ` (${kinds})`;
}

/** `timeout 3, reset 1` */
export function byFrequency(counts: Record<string, number>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, times]) => `${kind} ${count(times)}`)
    .join(', ');
}
