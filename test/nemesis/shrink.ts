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
  /** Without any fault it breaks, but not where clients wait for every answer. */
  needsImpatience?: boolean;
}

/** Shorter is not worth a run. */
const SHORTEST_MS = 500;
/** Of a schedule before its first fault: clients have to be at work. */
const BEFORE_MS = 1_000;
/** What a schedule runs on after its last fault: the defect has to show. */
const AFTERMATH_MS = 5_000;
/** Of a schedule between two faults that do not overlap. */
const BETWEEN_MS = 1_000;
/** Of a schedule in which clients alone do their worst. */
const WITHOUT_FAULT_MS = 20_000;

class OutOfBudget extends Error {}

/**
 * Looks for the shortest schedule that still breaks the invariant: first with fewer steps (delta debugging: Zeller and Hildebrandt,
 * "Simplifying and isolating failure-inducing input", 2002), then with shorter faults; each time without the calm before, between and after them.
 */
export async function shrink(original: Schedule, options: ShrinkOptions): Promise<Shrinking> {
  const trial = new Trial(original, options);
  let outOfBudget = false;
  try {
    await fewerSteps(trial);
    await shorterSchedule(trial);
    await trial.confirm();
    const confirmed = trial.best;
    await shorterSteps(trial);
    await shorterSchedule(trial);
    if (trial.best !== confirmed) await trial.confirm();
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    outOfBudget = true;
  }
  const { best, broke, of, runs, minutes, needsImpatience } = trial;
  return { schedule: best, broke, of, runs, minutes, outOfBudget, needsImpatience };
}

class Trial {
  best: Schedule;
  broke = 0;
  of = 0;
  runs = 0;
  needsImpatience?: boolean;
  readonly attempts: number;
  private readonly options: ShrinkOptions;
  private readonly now: () => number;
  private readonly startedAt: number;
  /** Minutes that the longest run has taken. */
  private longest = 0;
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
      const broken = await this.run(this.best, 'confirming');
      if (broken !== undefined) this.of += 1;
      if (broken) this.broke += 1;
    }
  }

  /** Runs a candidate until it has held `upTo` times in all. If it breaks the invariant it is the best one so far. */
  async accepts(change: Partial<Schedule>, upTo = this.attempts): Promise<boolean> {
    const candidate = { ...this.best, ...change };
    const key = keyOf(candidate);
    if (key === keyOf(this.best)) return false;
    for (let held = this.held.get(key) ?? 0; held < upTo; held += 1) {
      if (await this.run(candidate, `attempt ${held + 1} of ${this.attempts}`)) {
        Object.assign(this, { best: candidate, broke: 1, of: held + 1 });
        return true;
      }
      this.held.set(key, held + 1);
    }
    return false;
  }

  /** Without any fault it breaks: also where clients wait for every answer? */
  async clientsAlone(): Promise<void> {
    const patient = { ...this.best, patient: true };
    const broken = await this.run(patient, 'with patient clients');
    this.needsImpatience = broken === false;
    if (broken) Object.assign(this, { best: patient, broke: 1, of: 1 });
  }

  /** @returns undefined when it could not be run */
  private async run(candidate: Schedule, why: string): Promise<boolean | undefined> {
    const { budget, onProgress, breaks } = this.options;
    // Not one that would end too late.
    if (this.runs >= budget.runs || this.minutes + this.longest > budget.minutes) throw new OutOfBudget();
    this.runs += 1;
    const before = this.minutes;
    let broken: boolean | undefined;
    let became: string;
    try {
      broken = await breaks(candidate);
      became = broken ? 'broken' : 'held';
    } catch (error) {
      // What was found must not be lost because a shorter schedule could not be run.
      became = `could not be run: ${(error as Error).message}`;
    }
    this.longest = Math.max(this.longest, this.minutes - before);
    onProgress?.(`run ${this.runs}, ${why}: ${describeSteps(candidate)}: ${became}`);
    return broken;
  }
}

function keyOf({ steps, lasts, patient }: Schedule): string {
  return JSON.stringify([steps, lasts, patient]);
}

async function fewerSteps(trial: Trial): Promise<void> {
  const { steps, lasts } = trial.best;
  // Not twice: that no fault is needed is rare, and a run takes half a minute.
  const calm = { steps: [], lasts: Math.min(lasts, WITHOUT_FAULT_MS) };
  if (steps.length > 0 && (await trial.accepts(calm, 1))) {
    await trial.clientsAlone();
    return;
  }
  if (steps.length < 2 || (await oneStep(trial))) return;
  let parts = 2;
  while (trial.best.steps.length >= 2) {
    const { steps: rest } = trial.best;
    const chunks = split(rest, parts);
    const candidates = [...(parts > 2 ? [] : chunks), ...chunks.map((chunk) => without(rest, chunk))];
    const found = await firstAccepted(trial, candidates);
    if (found) parts = Math.max(2, Math.min(parts - 1, trial.best.steps.length));
    else if (parts >= rest.length) return;
    else parts = Math.min(rest.length, parts * 2);
  }
}

/**
 * Most defects need one fault: halves what is suspected with one run each time. Where the first half does not show it, the other
 * one is not tried but believed. What is left in the end has to show it by itself; else all this proves nothing, and delta
 * debugging begins.
 */
async function oneStep(trial: Trial): Promise<boolean> {
  let suspected = trial.best.steps;
  while (suspected.length > 1) {
    const [first, second] = split(suspected, 2) as [Step[], Step[]];
    suspected = (await trial.accepts(compact(first), 1)) ? trial.best.steps : second;
  }
  return trial.best.steps.length === 1 || trial.accepts(compact(suspected), 1);
}

/**
 * Each once before any of them again: most defects show at once in the half that has their cause, and a run takes half a minute.
 * Again at the times that were drawn: a defect may need the calm between two faults.
 */
async function firstAccepted(trial: Trial, candidates: Step[][]): Promise<boolean> {
  for (let round = 1; round <= trial.attempts; round += 1)
    for (const steps of candidates) {
      const [change, upTo] = round === 1 ? [compact(steps), 1] : [{ steps }, round - 1];
      if (steps.length > 0 && (await trial.accepts(change, upTo))) return true;
    }
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
        !(await trial.accepts({ steps: trial.best.steps.with(i, { ...step, lasts }) }, 1))
      )
        break;
    }
  }
}

async function shorterSchedule(trial: Trial): Promise<void> {
  const { steps, lasts } = trial.best;
  const shorter = compact(steps);
  if (steps.length > 0 && shorter.lasts < lasts) await trial.accepts(shorter);
}

/** Without the time in which nothing is broken. */
function compact(steps: readonly Step[]): Pick<Schedule, 'steps' | 'lasts'> {
  let saved = 0;
  let over = 0;
  let allowed = BEFORE_MS;
  const moved = steps.map((step) => {
    saved = Math.max(saved, step.at - over - allowed);
    over = Math.max(over, step.at - saved + step.lasts);
    allowed = BETWEEN_MS;
    return { ...step, at: step.at - saved };
  });
  return { steps: moved, lasts: over + AFTERMATH_MS };
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

/** What is enough to break it, for the report. */
export function describeCause({
  schedule,
  needsImpatience,
}: Pick<Shrinking, 'schedule' | 'needsImpatience'>): string {
  const steps = describeSteps(schedule);
  if (schedule.steps.length > 0) return steps;
  if (schedule.patient) return `${steps}: ordinary use is enough, by clients that wait for every answer`;
  if (!needsImpatience) return `${steps}: clients are enough, some of which hang up or give up`;
  return `${steps}: clients that hang up or give up are the cause (where they waited for every answer, it held)`;
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
