import type { RunResult } from '../../verify/results.ts';
import type { Operation } from '../history.ts';
import type { JudgedEvidence, JudgedInvariant, ScheduleResult } from '../result.ts';
import type { Shrinking } from '../shrink.ts';
import { timelineOf } from './timeline.ts';
import type { Timeline } from './timeline.ts';

/** `reports/nemesis.json`; `--replay` reads its schedules. */
export interface NemesisReport {
  startedAt: string;
  durationMs: number;
  /** Whether every invariant of every schedule held. */
  held: boolean;
  machine: RunResult['machine'];
  /** The mend that was taken out of the build on purpose (`--sabotage`). */
  sabotage?: string;
  /** Faults of the catalogue with their sentence. */
  faults: Record<string, string>;
  /** Faults that this machine cannot create, with the reason. */
  unavailable: Record<string, string>;
  schedules: ReportedSchedule[];
}

export interface ReportedSchedule extends Omit<ScheduleResult, 'history' | 'invariants'> {
  invariants: ReportedInvariant[];
  timeline: Timeline;
  /** The shortest schedule that still breaks one of the invariants. */
  shrunk?: Shrinking & { invariant: string };
}

export interface ReportedInvariant extends Omit<JudgedInvariant, 'violations'> {
  /** How many there were; `violations` has the first of them. */
  violated: number;
  violations: ReportedEvidence[];
}

export interface ReportedEvidence extends JudgedEvidence {
  /** What clients did with the ids that it is about. */
  operations: Operation[];
}

/** Enough to understand it: a broken invariant of money is often violated by hundreds of accounts at once. */
const MOST_VIOLATIONS = 5;
const MOST_OPERATIONS = 60;

export function reported(result: ScheduleResult, shrunk?: ReportedSchedule['shrunk']): ReportedSchedule {
  const { history, invariants, ...rest } = result;
  return {
    ...rest,
    invariants: invariants.map(({ violations, ...invariant }) => ({
      ...invariant,
      violated: violations.length,
      violations: violations
        .slice(0, MOST_VIOLATIONS)
        .map((evidence) => ({ ...evidence, operations: operationsAbout(evidence.about, history) })),
    })),
    timeline: timelineOf(history, result.schedule.lasts),
    shrunk,
  };
}

function operationsAbout(about: readonly string[], history: readonly Operation[]): Operation[] {
  const ids = new Set(about);
  return history.filter((operation) => concerns(operation, ids)).slice(0, MOST_OPERATIONS);
}

function concerns(
  { id, requestId, key, object, client, input, value }: Operation,
  ids: Set<string>,
): boolean {
  if ([String(id), requestId, key, object, client].some((one) => one !== undefined && ids.has(one)))
    return true;
  const said = JSON.stringify([input, value]);
  return [...ids].some((one) => said.includes(JSON.stringify(one)));
}
