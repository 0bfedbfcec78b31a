import { axisTitle, gridLine, INNER, LEFT, niceCeiling, px, shortNumber } from './axes.ts';
import type { Panel } from './axes.ts';
import type { PlotData } from './plot-data.ts';

export type Rates = Pick<PlotData, 'stepMs' | 'seconds' | 'ok' | 'refused' | 'failed'>;

/** The outcomes of requests per second, stacked, with the axis. */
export function renderRates(data: Rates, panel: Panel): string[] {
  const totals = data.ok.map((ok, i) => ok + data.refused[i]! + data.failed[i]!);
  const most = niceCeiling(Math.max(1, ...totals));
  const y = (rate: number): number => panel.top + panel.height * (1 - rate / most);
  const grid = [0, 0.5, 1].map((share) => gridLine(y(most * share), shortNumber(most * share)));
  const layers = [
    { name: 'ok', below: () => 0, height: (i: number) => data.ok[i]! },
    { name: 'refused', below: (i: number) => data.ok[i]!, height: (i: number) => data.refused[i]! },
    {
      name: 'failed',
      below: (i: number) => data.ok[i]! + data.refused[i]!,
      height: (i: number) => data.failed[i]!,
    },
  ];
  const areas = layers
    .filter(({ height }) => data.ok.some((_, i) => height(i) > 0))
    .map(({ name, below, height }) => {
      const upper: string[] = [];
      const lower: string[] = [];
      for (let i = 0; i < data.ok.length; i += 1) {
        const [from, to] = stepEdges(i, data);
        const bottom = y(below(i));
        // A single failure must be visible, however many successes are beside it.
        const top =
          height(i) > 0 ? Math.min(bottom - (name === 'ok' ? 0 : 2), y(below(i) + height(i))) : bottom;
        upper.push(`${px(from)},${px(top)} ${px(to)},${px(top)}`);
        lower.unshift(`${px(to)},${px(bottom)} ${px(from)},${px(bottom)}`);
      }
      return `<polygon class="${name}" points="${upper.join(' ')} ${lower.join(' ')}"/>`;
    });
  return [...grid, ...areas, axisTitle(panel, 'requests/s')];
}

export function stepEdges(
  i: number,
  { stepMs, seconds }: Pick<Rates, 'stepMs' | 'seconds'>,
): [number, number] {
  const at = (step: number): number => LEFT + Math.min(1, (step * stepMs) / 1_000 / seconds) * INNER;
  return [at(i), at(i + 1)];
}
