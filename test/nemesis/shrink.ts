import type { Schedule, Step } from './schedule.ts';

export interface ShrinkOptions {
  /** Runs a schedule. @returns whether the invariant was broken again */
  breaks(this: void, schedule: Schedule): Promise<boolean>;
  /**
   * How often a schedule that does not break it is repeated before what was left out counts as needed: the product is concurrent,
   * and a defect need not show every time. Default 2.
   */
  attempts?: number;
  /** How often the schedule found is run once more, to see how often it breaks. Default 2. */
  confirmations?: number;
  budget: { runs: number; minutes: number };
  /** One line for each schedule that was tried. */
  onProgress?: (line: string) => void;
  /** Milliseconds; for tests. */
  now?: () => number;
}

export interface Shrinking {
  schedule: Schedule;
  /** In how many of its runs in this search it was broken. */
  broke: number;
  of: number;
  runs: number;
  minutes: number;
  /** Whether the budget ended the search: then it may not be the shortest. */
  outOfBudget: boolean;
}

/** Shorter is not worth a run. */
const SHORTEST_MS = 500;
/** Of a schedule before its first fault: clients have to be at work. */
const BEFORE_MS = 1_000;
/** What a schedule runs on after its last fault: the defect has to show. */
const AFTERMATH_MS = 5_000;

class OutOfBudget extends Error {}

/**
 * Looks for the shortest schedule that still breaks the invariant: first with fewer steps (delta debugging: Zeller and Hildebrandt,
 * "Simplifying and isolating failure-inducing input", 2002), then with shorter faults, and without the time before the first and after the last one.
 */
export async function shrink(original: Schedule, options: ShrinkOptions): Promise<Shrinking> {
  const trial = new Trial(original, options);
  let outOfBudget = false;
  try {
    await fewerSteps(trial);
    await shorterSchedule(trial);
    await shorterSteps(trial);
    await shorterSchedule(trial);
    await trial.confirm();
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    outOfBudget = true;
  }
  const { best, broke, of, runs, minutes } = trial;
  return { schedule: best, broke, of, runs, minutes, outOfBudget };
}

class Trial {
  best: Schedule;
  broke = 0;
  of = 0;
  runs = 0;
  readonly attempts: number;
  private readonly options: ShrinkOptions;
  private readonly now: () => number;
  private readonly startedAt: number;
  /** How often each schedule was run that did not break it. */
  private readonly held = new Map<string, number>();

  constructor(original: Schedule, options: ShrinkOptions) {
    this.best = original;
    this.options = options;
    this.attempts = options.attempts ?? 2;
    this.now = options.now ?? (() => performance.now());
    this.startedAt = this.now();
  }

  get minutes(): number {
    return (this.now() - this.startedAt) / 60_000;
  }

  async confirm(): Promise<void> {
    for (let i = 0; i < (this.options.confirmations ?? 2); i += 1) {
      this.of += 1;
      if (await this.run(this.best, 'confirming')) this.broke += 1;
    }
  }

  /** Runs a candidate until it has held `upTo` times in all. If it breaks the invariant it is the best one so far. */
  async accepts(change: Partial<Schedule>, upTo = this.attempts): Promise<boolean> {
    const candidate = { ...this.best, ...change };
    const key = JSON.stringify([candidate.steps, candidate.lasts]);
    if (key === JSON.stringify([this.best.steps, this.best.lasts])) return false;
    for (let held = this.held.get(key) ?? 0; held < upTo; held += 1) {
      if (await this.run(candidate, `attempt ${held + 1} of ${this.attempts}`)) {
        Object.assign(this, { best: candidate, broke: 1, of: held + 1 });
        return true;
      }
      this.held.set(key, held + 1);
    }
    return false;
  }

  private async run(candidate: Schedule, why: string): Promise<boolean> {
    const { budget, onProgress, breaks } = this.options;
    if (this.runs >= budget.runs || this.minutes >= budget.minutes) throw new OutOfBudget();
    this.runs += 1;
    let became: string;
    try {
      became = (await breaks(candidate)) ? 'broken' : 'held';
    } catch (error) {
      // What was found must not be lost because a shorter schedule could not be run.
      became = `could not be run: ${(error as Error).message}`;
    }
    onProgress?.(`run ${this.runs}, ${why}: ${describeSteps(candidate)}: ${became}`);
    return became === 'broken';
  }
}

async function fewerSteps(trial: Trial): Promise<void> {
  // Not twice: that no fault is needed is rare, and a run takes a minute.
  if (trial.best.steps.length > 0 && (await trial.accepts({ steps: [] }, 1))) return;
  let parts = 2;
  while (trial.best.steps.length >= 2) {
    const { steps } = trial.best;
    const chunks = split(steps, parts);
    const candidates = [...(parts > 2 ? [] : chunks), ...chunks.map((chunk) => without(steps, chunk))];
    const found = await firstAccepted(trial, candidates);
    if (found) parts = Math.max(2, Math.min(parts - 1, trial.best.steps.length));
    else if (parts >= steps.length) return;
    else parts = Math.min(steps.length, parts * 2);
  }
}

/** Each once before any of them again: most defects show at once in the half that has their cause, and a run takes a minute. */
async function firstAccepted(trial: Trial, candidates: Step[][]): Promise<boolean> {
  for (let upTo = 1; upTo <= trial.attempts; upTo += 1)
    for (const steps of candidates)
      if (steps.length > 0 && (await trial.accepts({ steps }, upTo))) return true;
  return false;
}

/** Halves the time of each fault as long as it breaks. */
async function shorterSteps(trial: Trial): Promise<void> {
  for (let i = 0; i < trial.best.steps.length; i += 1) {
    for (;;) {
      const step = trial.best.steps[i]!;
      const lasts = Math.round(step.lasts / 2);
      if (
        lasts < SHORTEST_MS ||
        !(await trial.accepts({ steps: trial.best.steps.with(i, { ...step, lasts }) }))
      )
        break;
    }
  }
}

async function shorterSchedule(trial: Trial): Promise<void> {
  const { steps, lasts } = trial.best;
  const spare = Math.max(0, Math.min(...steps.map(({ at }) => at)) - BEFORE_MS);
  const end = Math.max(0, ...steps.map((step) => step.at + step.lasts)) + AFTERMATH_MS;
  if (end < lasts) await trial.accepts({ lasts: end });
  if (steps.length === 0 || spare < SHORTEST_MS) return;
  const earlier = steps.map((step) => ({ ...step, at: step.at - spare }));
  await trial.accepts({ steps: earlier, lasts: trial.best.lasts - spare });
}

function split(steps: Step[], parts: number): Step[][] {
  return Array.from({ length: parts }, (_, i) =>
    steps.slice(Math.floor((i * steps.length) / parts), Math.floor(((i + 1) * steps.length) / parts)),
  );
}

function without(steps: Step[], some: Step[]): Step[] {
  return steps.filter((step) => !some.includes(step));
}

/** How sure the search is, for the report. */
export function certainty({ broke, of, runs, minutes, outOfBudget }: Shrinking): string {
  const search = `${runs} runs in ${minutes.toFixed(1)} min`;
  const often = of === 0 ? 'nothing shorter broke it' : `it broke in ${broke} of its ${of} runs`;
  const end = outOfBudget ? '; the budget ended the search, a shorter one may exist' : '';
  return `${often}; ${search}${end}`;
}

export function describeSteps({ steps, lasts }: Schedule): string {
  const faults = steps.map(
    ({ fault, target, at, lasts: time }) =>
      `${fault} ${target} at ${seconds(at)}${time > 0 ? ` for ${seconds(time)}` : ''}`,
  );
  return `${faults.join(', ') || 'no fault'}, in ${seconds(lasts)}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
