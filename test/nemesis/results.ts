import type { LogRecord } from '../../local/processes.ts';
import type { RunResult } from '../verify/results.ts';
import type { Operation } from './history.ts';
import type { Verdict } from './invariant.ts';
import type { Schedule, Step } from './schedule.ts';

/** `reports/nemesis.json`; `--replay` reads its schedules. */
export interface NemesisResult {
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
  schedules: ScheduleResult[];
}

/** What became of one schedule. */
export interface ScheduleResult {
  schedule: Schedule;
  held: boolean;
  /** From the start of the rig to its end. */
  durationMs: number;
  /** Why it could not be judged, for example because the rig did not start. */
  error?: string;
  verdicts: InvariantResult[];
  /** In the order of the schedule's steps. */
  steps: StepResult[];
  counts: Counts;
  timeline: Timeline;
  /** Of a broken one. */
  evidence?: CollectedEvidence;
  shrunk?: Shrunk;
}

export interface InvariantResult extends Verdict {
  name: string;
  statement: string;
  /** What `check` threw. */
  error?: string;
}

export interface StepResult {
  step: Step;
  /** Milliseconds after the load began; undefined: it was not reached, or failed. */
  beganAt?: number;
  endedAt?: number;
  error?: string;
}

export interface Counts {
  operations: number;
  ok: number;
  refused: number;
  unknown: number;
}

/** Operations per time slot, each in the slot in which it was invoked. */
export interface Timeline {
  slotMs: number;
  ok: number[];
  refused: number[];
  unknown: number[];
}

/** What clients and processes said about the ids of a violation. */
export interface CollectedEvidence {
  operations: Operation[];
  lines: (LogRecord & { process: string })[];
}

/** The shortest schedule that still breaks the same invariant. */
export interface Shrunk {
  schedule: Schedule;
  /** The invariant that it breaks. */
  invariant: string;
  /** In how many of its own runs it was broken. */
  broke: number;
  of: number;
  /** Runs and time that the search took. */
  runs: number;
  minutes: number;
  /** Whether the budget ended the search: then it may not be the shortest. */
  outOfBudget: boolean;
}
