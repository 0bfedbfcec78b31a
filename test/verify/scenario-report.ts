import type { Interval, LoadResult, StreamResult } from './load/load-result.ts';
import type { FailureSample } from './load/plan.ts';
import { now } from './load/recorder.ts';
import { plotDataOf } from './report/plot-data.ts';
import type { LinePlotData, PlotData } from './report/plot-data.ts';

export interface Check {
  /** What must hold. */
  statement: string;
  held: boolean;
  /** The result. */
  measured: string;
}

export interface Fault extends Interval {
  label: string;
}

export interface Evidence {
  at: string;
  what: string;
}

export interface Table {
  title: string;
  head: string[];
  rows: string[][];
}

/** The findings of a scenario: checks decide; figures, plots and evidence explain. */
export class ScenarioReport {
  readonly checks: Check[] = [];
  readonly figures: { label: string; value: string }[] = [];
  readonly notes: string[] = [];
  readonly faults: Fault[] = [];
  readonly evidence: Evidence[] = [];
  readonly linePlots: LinePlotData[] = [];
  readonly tables: Table[] = [];
  /** Why it could not be tried here. */
  skipped: string | undefined;
  private readonly plotted: { title: string; result: StreamResult }[] = [];
  private readonly onPhase: (phase: string) => void;

  constructor(onPhase: (phase: string) => void) {
    this.onPhase = onPhase;
  }

  /** Shows the current step on the progress display. */
  phase(what: string): void {
    this.onPhase(what);
  }

  /** Leaves it untried, which breaks no promise. */
  skip(reason: string): void {
    this.skipped = reason;
  }

  check(statement: string, held: boolean, measured: string | number): void {
    this.checks.push({ statement, held, measured: String(measured) });
  }

  figure(label: string, value: string | number): void {
    this.figures.push({ label, value: String(value) });
  }

  /** A note that readers need to judge the figures. */
  note(text: string): void {
    this.notes.push(text);
  }

  /** Runs `work` as a fault that the plots shade. @param label may be empty @returns when it was */
  async fault(label: string, work: () => Promise<unknown>): Promise<Interval> {
    if (label !== '') this.phase(label);
    const fault = { label, from: now(), to: Infinity };
    this.faults.push(fault);
    try {
      await work();
    } finally {
      fault.to = now();
    }
    return { from: fault.from, to: fault.to };
  }

  /** Draws a load over time, and keeps samples of its failures. */
  plot(title: string, result: LoadResult | StreamResult): void {
    this.plotted.push({ title, result });
    this.explain(result.samples);
  }

  table(table: Table): void {
    this.tables.push(table);
  }

  plotLines(plot: LinePlotData): void {
    this.linePlots.push(plot);
  }

  explain(samples: FailureSample[]): void {
    for (const { at, kind, request, detail } of samples) {
      if (this.evidence.length >= 60) return;
      this.evidence.push({ at: new Date(at).toISOString(), what: `${request}: ${kind}, ${detail}` });
    }
  }

  get plots(): PlotData[] {
    return this.plotted.map(({ title, result }) => plotDataOf(title, result, this.faults));
  }

  get held(): boolean {
    if (this.skipped !== undefined) return true;
    return this.checks.length > 0 && this.checks.every(({ held }) => held);
  }
}
