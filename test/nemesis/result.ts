import type { Operation } from './history.ts';
import type { Evidence } from './invariant.ts';
import type { Schedule, Step } from './schedule.ts';

/** When a step of the schedule really began and was over again, in milliseconds after the load began. */
export interface Applied {
  step: Step;
  beganAt: number;
  endedAt: number;
}

export interface JudgedInvariant {
  name: string;
  statement: string;
  counted: string;
  violations: JudgedEvidence[];
}

export interface JudgedEvidence extends Evidence {
  /** Lines of the product's log with one of the ids, oldest first. */
  log: string[];
}

/** What became of one schedule. */
export interface ScheduleResult {
  schedule: Schedule;
  held: boolean;
  invariants: JudgedInvariant[];
  history: readonly Operation[];
  applied: Applied[];
  counts: { faults: number; ok: number; refused: number; unknown: number };
  /** Milliseconds of each phase. */
  spent: Record<string, number>;
}
