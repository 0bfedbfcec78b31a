import type { Environment } from '../../local/processes.ts';
import type { Progress, ProgressFigures } from '../../local/progress.ts';
import type { NamedFault } from './fault.ts';
import type { Product } from './product.ts';
import type { History } from './record.ts';
import { reported, type ReportedSchedule } from './report/report.ts';
import type { ScheduleResult } from './result.ts';
import { runSchedule } from './run-schedule.ts';
import type { Schedule } from './schedule.ts';
import { shrink } from './shrink.ts';
import { totalOf } from './stopwatch.ts';

export interface SearchOptions {
  env: Environment;
  /** Another build, for rollouts. */
  other?: string;
  shrinkMinutes: number;
}

interface Place {
  dist: string;
  progress: Progress;
}

const MOST_SHRINKING_RUNS = 40;
/** Most runs of a search for the cause of a broken one would wait for the whole time. */
const SHRINKING_AT_REST_MS = 20_000;
const FIGURES_OF_MS = 2_000;

/** Runs schedules one after another, looks for the shortest form of those that break something, and keeps what is to be reported. */
export class Search {
  readonly reported: ReportedSchedule[] = [];
  /** Schedules that could not be run, with the reason. */
  readonly failures: string[] = [];
  /** How long the longest one has taken, shrinking left out. */
  longestMs = 0;
  private readonly faults: NamedFault[];
  private readonly options: SearchOptions;
  private readonly shrunk = new Set<string>();
  private history: History | undefined;
  private readonly startedAt = performance.now();

  constructor(faults: NamedFault[], options: SearchOptions) {
    this.faults = faults;
    this.options = options;
  }

  get broken(): ReportedSchedule[] {
    return this.reported.filter(({ held }) => !held);
  }

  /** @returns the line that says how it went */
  async run(schedule: Schedule, product: Product, { dist, progress }: Place): Promise<string> {
    const startedAt = performance.now();
    try {
      const result = await this.once(schedule, product, { dist, progress });
      this.longestMs = Math.max(this.longestMs, performance.now() - startedAt);
      const invariant = result.invariants.find(({ violations }) => violations.length > 0)?.name;
      const shrunk = invariant && (await this.shrinkOnce(schedule, invariant, product, { dist, progress }));
      this.reported.push(reported(result, shrunk || undefined));
      return describe(result, progress);
    } catch (error) {
      const reason = (error as Error).stack ?? String(error);
      this.failures.push(reason);
      return `${progress.styled('yellow', '?')} seed ${schedule.seed}  could not be run: ${reason}`;
    } finally {
      this.history = undefined;
    }
  }

  summary(): string {
    const sum = (of: (one: ReportedSchedule) => number): number =>
      this.reported.reduce((total, one) => total + of(one), 0);
    const faults = sum(({ counts }) => counts.faults);
    const requests = sum(({ counts: { ok, refused, unknown } }) => ok + refused + unknown);
    const failed = this.failures.length === 0 ? '' : `, ${this.failures.length} could not be run`;
    return `${this.reported.length} schedules, ${faults} faults, ${requests} requests; ${this.broken.length} broken${failed}.`;
  }

  /** What clients get at present. */
  figures(): ProgressFigures | undefined {
    if (!this.history) return undefined;
    const { operations } = this.history;
    const since = this.history.now() - FIGURES_OF_MS;
    const recent = operations.filter(({ completedAt }) => completedAt !== undefined && completedAt > since);
    const perSecond = (outcome: string): number =>
      recent.filter((one) => one.outcome === outcome).length / (FIGURES_OF_MS / 1_000);
    const times = recent.map(({ invokedAt, completedAt }) => completedAt! - invokedAt).sort((a, b) => a - b);
    return {
      okPerSecond: perSecond('ok'),
      refusedPerSecond: perSecond('refused'),
      failedPerSecond: perSecond('unknown'),
      p99: times[Math.floor(times.length * 0.99)] ?? 0,
    };
  }

  private once(
    schedule: Schedule,
    product: Product,
    { dist, progress, atRestWithinMs }: Place & { atRestWithinMs?: number },
  ): Promise<ScheduleResult> {
    return runSchedule(schedule, product, this.faults, {
      atRestWithinMs,
      dist,
      other: this.options.other,
      env: this.options.env,
      // Elsewhere than on a terminal each would be a line.
      onPhase: (what) => process.stdout.isTTY && progress.phase(what),
      onStart: (history) => (this.history = history),
    });
  }

  /** Once for each invariant: the next schedule that breaks it probably does so for the same reason. */
  private async shrinkOnce(
    schedule: Schedule,
    invariant: string,
    product: Product,
    place: Place,
  ): Promise<ReportedSchedule['shrunk']> {
    const minutes = this.options.shrinkMinutes;
    if (minutes === 0 || this.shrunk.has(invariant)) return undefined;
    this.shrunk.add(invariant);
    const { progress } = place;
    const after = Math.round((performance.now() - this.startedAt) / 1_000);
    progress.say(
      `${invariant} is broken after ${after} s; looking for the shortest schedule that breaks it, ${minutes} min at most`,
    );
    const shrinking = await shrink(schedule, {
      breaks: async (candidate) => {
        const { invariants } = await this.once(candidate, product, {
          ...place,
          atRestWithinMs: SHRINKING_AT_REST_MS,
        });
        return invariants.some(({ name, violations }) => name === invariant && violations.length > 0);
      },
      budget: { runs: MOST_SHRINKING_RUNS, minutes },
      onProgress: (line) => progress.say(line),
    });
    return { ...shrinking, invariant };
  }
}

function describe(result: ScheduleResult, progress: Progress): string {
  const { schedule, held, counts, spent, invariants } = result;
  const mark = held ? progress.styled('green', '✓') : progress.styled('red', '✗');
  const broken = invariants.filter(({ violations }) => violations.length > 0).map(({ name }) => name);
  const verdict = held ? `${invariants.length} invariants held` : `broken: ${broken.join(', ')}`;
  const { faults, ok, refused, unknown } = counts;
  const requests = `${ok} ok, ${refused} refused, ${unknown} unknown`;
  const time = progress.styled('dim', `${Math.round(totalOf(spent) / 1_000)} s`);
  return `${mark} seed ${schedule.seed}  ${faults} faults, ${requests}  ${verdict}  ${time}`;
}
