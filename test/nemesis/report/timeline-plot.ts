import { INNER, LEFT, px, RIGHT, timeTicks, WIDTH } from '../../verify/report/axes.ts';
import { escapeHtml } from '../../verify/report/escape.ts';
import { renderRates } from '../../verify/report/rates.ts';
import type { ReportedSchedule } from './report.ts';

const RATES_HEIGHT = 120;
const LANE = 15;
const LETTER = 6;
/** Below that a bar could not be seen. */
const NARROWEST = 3;

interface Bar {
  left: number;
  width: number;
  label: string;
  /** Where the label begins: right of the bar, or left of it near the edge of the drawing. */
  text: number;
  lane: number;
}

/** One SVG: every fault as a bar with its name and target, its time shaded over the outcomes of requests per second below. */
export function renderTimeline({ schedule, applied, timeline }: ReportedSchedule): string {
  const seconds = schedule.lasts / 1_000;
  const bars = barsOf(applied, schedule.lasts);
  const lanes = 1 + Math.max(-1, ...bars.map(({ lane }) => lane));
  const panel = { top: lanes * LANE + 8, height: RATES_HEIGHT };
  const perSecond = (counts: number[]): number[] =>
    counts.map((count) => Math.round((count * 1_000) / timeline.slotMs));
  const rates = {
    stepMs: timeline.slotMs,
    seconds,
    ok: perSecond(timeline.ok),
    refused: perSecond(timeline.refused),
    failed: perSecond(timeline.unknown),
  };
  const shades = bars.map(
    ({ left, width }) =>
      `<rect class="fault" x="${px(left)}" y="${panel.top}" width="${px(width)}" height="${panel.height}"/>`,
  );
  const parts = [
    ...shades,
    ...bars.map(renderBar),
    ...timeTicks(seconds, panel),
    ...renderRates(rates, panel),
  ];
  const height = panel.top + panel.height + 24;
  const label = `Seed ${schedule.seed}: requests per second and ${bars.length} faults over ${Math.round(seconds)} seconds`;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">${parts.join('')}</svg>`;
}

function renderBar({ left, width, label, text, lane }: Bar): string {
  const y = lane * LANE + 3;
  return (
    `<rect class="bar" x="${px(left)}" y="${y}" width="${px(width)}" height="${LANE - 4}" rx="2"/>` +
    `<text class="fault-label" x="${px(text)}" y="${y + LANE - 6}">${escapeHtml(label)}</text>`
  );
}

/** Each in the first lane that has room for it and its label. */
function barsOf(applied: ReportedSchedule['applied'], lastsMs: number): Bar[] {
  const x = (at: number): number => LEFT + Math.min(1, at / lastsMs) * INNER;
  const ends: number[] = [];
  return [...applied]
    .sort((a, b) => a.beganAt - b.beganAt)
    .map(({ step, beganAt, endedAt }) => {
      const left = x(beganAt);
      const width = Math.max(NARROWEST, x(endedAt ?? lastsMs) - left);
      const label = `${step.fault} ${step.target}`;
      const room = label.length * LETTER;
      const fits = left + width + 4 + room < WIDTH - RIGHT;
      const text = fits ? left + width + 4 : Math.max(2, left - room - 4);
      const from = Math.min(left, text);
      const free = ends.findIndex((end) => end < from);
      const lane = free === -1 ? ends.length : free;
      ends[lane] = Math.max(left + width, text + room) + 6;
      return { left, width, label, text, lane };
    });
}
