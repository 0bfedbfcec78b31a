export const WIDTH = 1_000;
export const LEFT = 64;
export const RIGHT = 12;
export const INNER = WIDTH - LEFT - RIGHT;

/** A part of a drawing with an axis of its own, from the top. */
export interface Panel {
  top: number;
  height: number;
}

/** Vertical lines at round times, with their labels below. */
export function timeTicks(seconds: number, { top, height }: Panel): string[] {
  const step = [1, 2, 5, 10, 20, 30, 60].find((candidate) => seconds / candidate <= 14) ?? 120;
  const ticks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
  return ticks.map((tick) => {
    const x = px(LEFT + (tick / seconds) * INNER);
    return (
      `<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${top + height}"/>` +
      `<text class="tick" x="${x}" y="${top + height + 16}" text-anchor="middle">${tick} s</text>`
    );
  });
}

export function gridLine(y: number, label: string): string {
  return (
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y)}" y2="${px(y)}"/>` +
    `<text class="tick" x="${LEFT - 6}" y="${px(y + 3.5)}" text-anchor="end">${label}</text>`
  );
}

export function axisTitle({ top, height }: Panel, title: string): string {
  const middle = top + height / 2;
  return `<text class="axis" x="10" y="${middle}" text-anchor="middle" transform="rotate(-90 10 ${middle})">${title}</text>`;
}

/** The next larger round number for an axis. */
export function niceCeiling(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * magnitude >= value) ?? 10) * magnitude;
}

export function shortNumber(value: number): string {
  return value >= 10_000 ? `${value / 1_000}k` : String(Math.round(value * 10) / 10);
}

/** A coordinate, with no more digits than are visible. */
export function px(value: number): string {
  return (Math.round(value * 10) / 10).toString();
}
