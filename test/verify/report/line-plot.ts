import { axisTitle, gridLine, INNER, LEFT, niceCeiling, px, shortNumber, timeTicks, WIDTH } from './axes.ts';
import { escapeHtml } from './escape.ts';
import type { LinePlotData } from './plot-data.ts';

const PANEL = { top: 10, height: 150 };
const HEIGHT = PANEL.top + PANEL.height + 24;
const COLOURS = ['var(--p50)', 'var(--p99)', 'var(--ok)', 'var(--refused)', 'var(--failed)', 'var(--quiet)'];

/** Lines over time from zero up, with a legend. */
export function renderLines({ title, unit, seconds, lines }: LinePlotData): string {
  const most = niceCeiling(Math.max(1, ...lines.flatMap(({ points }) => points.map(([, value]) => value))));
  const x = (at: number): string => px(LEFT + (at / seconds) * INNER);
  const y = (value: number): number => PANEL.top + PANEL.height * (1 - value / most);
  const grid = [0, 0.5, 1].map((share) => gridLine(y(most * share), shortNumber(most * share)));
  const paths = lines.map(({ points }, i) => {
    const d = points.map(([at, value], n) => `${n === 0 ? 'M' : 'L'}${x(at)} ${px(y(value))}`).join('');
    return `<path class="line" style="stroke:${colourOf(i)}" d="${d}"/>`;
  });
  const legend = lines.map(
    ({ name }, i) => `<span><i class="line" style="background:${colourOf(i)}"></i>${escapeHtml(name)}</span>`,
  );
  const parts = [...timeTicks(seconds, PANEL), ...grid, ...paths, axisTitle(PANEL, escapeHtml(unit))];
  return (
    `<div class="legend">${legend.join('')}</div>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${parts.join('')}</svg>`
  );
}

function colourOf(line: number): string {
  return COLOURS[line % COLOURS.length]!;
}
