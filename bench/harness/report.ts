import { styleText } from 'node:util';
import { isMet } from '../workload.ts';
import type { Check, Measure, Outcome, Workload } from '../workload.ts';
import { median, spreadOf } from './statistics.ts';

/** The result of a workload. */
export interface Finished {
  workload: Workload;
  outcome?: Outcome;
  /** Why there is no outcome. */
  failure?: string;
  seconds: number;
}

/** A workload's figures, as a block of text. */
export function describe({ workload, outcome, failure, seconds }: Finished): string {
  const lines = [`${bold(workload.name)}  ${workload.title}  ${dim(`(${Math.round(seconds)} s)`)}`];
  if (failure !== undefined) return [...lines, `  ${mark(false)} ${failure}`, ''].join('\n');
  if (!outcome) return lines.join('\n');
  lines.push(...table(outcome.measures));
  for (const check of outcome.checks) lines.push(`  ${mark(isMet(check))} ${wordsOf(check)}`);
  for (const note of outcome.notes ?? []) lines.push(dim(`    ${note}`));
  return [...lines, ''].join('\n');
}

/** One line per bar, after everything. */
export function summarise(finished: readonly Finished[]): string {
  const rows = finished.flatMap(({ workload, outcome, failure }) => {
    if (failure !== undefined || !outcome)
      return [[workload.name, 'could not be measured', '', '', mark(false)]];
    return outcome.checks.map((check) => [
      workload.name,
      check.what,
      valueOf(check),
      boundOf(check),
      mark(isMet(check)),
    ]);
  });
  return align([['workload', 'what', 'measured', 'bar', ''], ...rows], 3).join('\n');
}

export function allMet(finished: readonly Finished[]): boolean {
  return finished.every(({ outcome }) => outcome?.checks.every(isMet) === true);
}

function table(measures: readonly Measure[]): string[] {
  if (measures.length === 0) return [];
  const header = ['', 'median', 'quartiles', '', 'p50 ms', 'p99 ms', 'CPU µs/request'];
  const rows = measures.map(({ side, unit, rounds, p50, p99, cpu }) => [
    side,
    figure(median(rounds)),
    spread(spreadOf(rounds)),
    unit,
    p50 ? figure(median(p50)) : '',
    p99 ? `${figure(median(p99))} (${spread(spreadOf(p99))})` : '',
    cpu ? `${figure(median(cpu))} (${spread(spreadOf(cpu))})` : '',
  ]);
  const used = header.map((_, column) => rows.some((row) => row[column] !== ''));
  const keep = (row: string[]): string[] => row.filter((_, column) => used[column]);
  return align([header, ...rows].map(keep), 1);
}

function wordsOf(check: Check): string {
  const rounds = check.spread ? dim(` (${spread(check.spread)})`) : '';
  return `${check.what}: ${bold(valueOf(check))}${rounds}, ${boundOf(check)}`;
}

function valueOf({ value, unit }: Check): string {
  return unit ? `${figure(value)} ${unit}` : value.toFixed(2);
}

function boundOf({ atLeast, atMost, unit = '' }: Check): string {
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast} ${unit}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost} ${unit}`]),
  ];
  return bounds.length > 0 ? bounds.join(', ').trim() : 'no bar';
}

function spread([least, most]: [number, number]): string {
  return `${figure(least)} .. ${figure(most)}`;
}

/** Three significant digits, and no more than two after the point. */
function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Lines of equal columns; those from `firstRight` on are flush right, except for units and verdicts. */
function align(rows: string[][], firstRight: number): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => visible(row[column] ?? ''))),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const padding = ' '.repeat((widths[column] ?? 0) - visible(cell));
      return column < firstRight ? cell + padding : padding + cell;
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

function visible(text: string): number {
  // eslint-disable-next-line no-control-regex -- the escape character is what is looked for
  return text.replace(/\u001b\[\d+m/g, '').length;
}

function mark(ok: boolean): string {
  return ok ? style('green', 'ok  ') : style('red', 'MISS');
}

function bold(text: string): string {
  return style('bold', text);
}

function dim(text: string): string {
  return style('dim', text);
}

function style(format: 'green' | 'red' | 'bold' | 'dim', text: string): string {
  return styleText(format, text, { stream: process.stdout });
}
