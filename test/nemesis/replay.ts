import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../local/run-options.ts';
import type { NemesisReport } from './report/report.ts';
import type { Schedule, Step } from './schedule.ts';

/**
 * A schedule that once broke something. `regressions/<name>.json` holds one or several, and what they found; `reports/nemesis.json`
 * can be replayed as it is.
 */
export interface Regression {
  found: string;
  schedules: Schedule[];
}

/**
 * @returns the schedules of the file. Of a report those that broke something, each in its shortest form; all of them if none did
 * @throws UsageError
 */
export function readSchedules(file: string): Schedule[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be replayed: ${(error as Error).message}`);
  }
  const schedules = isSchedule(content) ? [content] : schedulesOf(content);
  const wrong = schedules.findIndex((schedule) => !isSchedule(schedule));
  if (schedules.length === 0) throw new UsageError(`${file} cannot be replayed: it holds no schedule`);
  if (wrong >= 0)
    throw new UsageError(
      `${file} cannot be replayed: schedule ${wrong + 1} needs seed, product, lasts and steps (at, lasts, fault, target, with)`,
    );
  return schedules as Schedule[];
}

export function regressionFiles(directory = join(import.meta.dirname, 'regressions')): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => join(directory, file));
}

function schedulesOf(content: unknown): unknown[] {
  const list = (content as { schedules?: unknown } | null)?.schedules;
  if (!Array.isArray(list)) return [];
  const entries = list as (NemesisReport['schedules'][number] | Schedule)[];
  const broken = entries.filter((entry) => 'schedule' in entry && !entry.held);
  return (broken.length > 0 ? broken : entries).map((entry) =>
    'schedule' in entry ? (entry.shrunk?.schedule ?? entry.schedule) : entry,
  );
}

function isSchedule(value: unknown): value is Schedule {
  const { seed, product, lasts, steps } = (value ?? {}) as Partial<Schedule>;
  return (
    typeof seed === 'number' &&
    typeof product === 'string' &&
    typeof lasts === 'number' &&
    Array.isArray(steps) &&
    steps.every(isStep)
  );
}

function isStep(value: unknown): value is Step {
  const { at, lasts, fault, target, with: drawn } = (value ?? {}) as Partial<Step>;
  const named = typeof fault === 'string' && typeof target === 'string';
  return named && typeof at === 'number' && typeof lasts === 'number' && typeof drawn === 'object';
}
