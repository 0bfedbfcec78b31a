import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { repositoryRoot } from '../../local/servers/paths.ts';
import type { Environment } from '../../local/processes.ts';
import type { LinePlotData, PlotData } from './report/plot-data.ts';
import type { Check, Evidence, ScenarioReport, Table } from './scenario-report.ts';

/** `reports/verify.json`. */
export interface RunResult {
  startedAt: string;
  durationMs: number;
  /** Whether every promise held. */
  held: boolean;
  machine: { cores: number; memoryMb: number; node: string; commit: string | undefined };
  /** Settings given with --env: promises are for the product as shipped. */
  env: Environment;
  scenarios: ScenarioResult[];
}

export interface ScenarioResult {
  name: string;
  promise: string;
  held: boolean;
  durationMs: number;
  checks: Check[];
  figures: { label: string; value: string }[];
  tables: Table[];
  notes: string[];
  /** Why it could not be tried. */
  skipped: string | undefined;
  /** The error that the scenario threw. */
  error: string | undefined;
  evidence: Evidence[];
  plots: PlotData[];
  linePlots: LinePlotData[];
}

export function resultOf(
  scenario: { name: string; promise: string },
  report: ScenarioReport,
  outcome: { durationMs: number; error: string | undefined },
): ScenarioResult {
  return {
    name: scenario.name,
    promise: scenario.promise,
    held: report.held && outcome.error === undefined,
    ...outcome,
    checks: report.checks,
    figures: report.figures,
    tables: report.tables,
    notes: report.notes,
    skipped: report.skipped,
    evidence: report.evidence,
    plots: report.plots,
    linePlots: report.linePlots,
  };
}

export function describeMachine(): RunResult['machine'] {
  return {
    cores: cpus().length,
    memoryMb: Math.round(totalmem() / 1024 / 1024),
    node: process.version,
    commit: commit(),
  };
}

function commit(): string | undefined {
  try {
    const head = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: repositoryRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return head.trim();
  } catch {
    return undefined;
  }
}
