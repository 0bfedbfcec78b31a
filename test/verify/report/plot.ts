import { axisTitle, gridLine, INNER, LEFT, px, timeTicks, WIDTH } from './axes.ts';
import type { Panel } from './axes.ts';
import { escapeHtml } from './escape.ts';
import type { PlotData } from './plot-data.ts';
import { renderRates, stepEdges } from './rates.ts';

const RATES = { top: 26, height: 130 };
const TIMES = { top: 178, height: 96 };
const HEIGHT = 300;
const EVERYTHING: Panel = { top: RATES.top, height: TIMES.top + TIMES.height - RATES.top };

/** One SVG: above, the outcomes of requests per second, stacked; below, p50 and p99 of the successes, logarithmic. */
export function renderPlot(data: PlotData): string {
  if (data.ok.length === 0) return '<p class="note">No request was sent.</p>';
  const x = (seconds: number): number => LEFT + (seconds / data.seconds) * INNER;
  const parts = [
    ...faults(data, x),
    ...timeTicks(data.seconds, EVERYTHING),
    ...renderRates(data, RATES),
    ...latencies(data),
  ];
  const label = `${data.title}: requests per second and latency over ${Math.round(data.seconds)} seconds`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(label)}">${parts.join('')}</svg>`;
}

function faults(data: PlotData, x: (seconds: number) => number): string[] {
  let lastEnd = -Infinity;
  let row = 0;
  return data.faults.map(({ label, from, to }) => {
    const left = x(from);
    const width = Math.max(2, x(to) - left);
    // Labels of windows close to each other take turns on two rows.
    row = left < lastEnd ? 1 - row : 0;
    lastEnd = left + label.length * 6.2;
    const anchor = left > WIDTH - 200 ? 'end' : 'start';
    const at = anchor === 'end' ? left + width : left;
    const bottom = TIMES.top + TIMES.height;
    return (
      `<rect class="fault" x="${px(left)}" y="${RATES.top}" width="${px(width)}" height="${bottom - RATES.top}"/>` +
      `<text class="fault-label" x="${px(at)}" y="${10 + row * 11}" text-anchor="${anchor}">${escapeHtml(label)}</text>`
    );
  });
}

function latencies(data: PlotData): string[] {
  const values = [...data.p50, ...data.p99].filter((value) => value !== null && value > 0) as number[];
  if (values.length === 0) return [];
  const low = Math.floor(Math.log10(Math.max(0.1, Math.min(...values))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const y = (ms: number): number =>
    TIMES.top + TIMES.height * (1 - (Math.log10(Math.max(ms, 10 ** low)) - low) / (high - low));
  const grid = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)).map((ms) =>
    gridLine(y(ms), ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`),
  );
  const lines = (['p50', 'p99'] as const).map((name) => {
    const pieces: string[] = [];
    let pen = 'M';
    for (const [i, value] of data[name].entries()) {
      if (value === null) {
        pen = 'M';
        continue;
      }
      const [from, to] = stepEdges(i, data);
      pieces.push(`${pen}${px((from + to) / 2)} ${px(y(value))}`);
      pen = 'L';
    }
    return `<path class="${name}" d="${pieces.join('')}"/>`;
  });
  return [...grid, ...lines, axisTitle(TIMES, 'latency')];
}
