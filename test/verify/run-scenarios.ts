import { Progress } from '../../local/progress.ts';
import { resultOf } from './results.ts';
import type { ScenarioResult } from './results.ts';
import type { NamedScenario, Setting } from './scenario.ts';
import { ScenarioReport } from './scenario-report.ts';

/** No scenario may take longer than this, whatever it waits for. */
const PATIENCE = 4;

/**
 * Runs scenarios one after another on one stage; a stage that cannot be repaired after one is replaced.
 * @param start starts a stage, and says what it is doing
 */
export async function runScenarios<On extends Setting>(
  scenarios: NamedScenario<On>[],
  start: (phase: (what: string) => void) => Promise<On>,
): Promise<ScenarioResult[]> {
  let stage: On | undefined;
  const progress = new Progress(() => stage?.load.live);
  const results: ScenarioResult[] = [];
  try {
    for (const [i, scenario] of scenarios.entries()) {
      progress.begin(`[${i + 1}/${scenarios.length}] ${scenario.name}`);
      const report = new ScenarioReport((phase) => progress.phase(phase));
      const started = Date.now();
      let error: string | undefined;
      try {
        stage ??= await start((phase) => progress.phase(phase));
        await stage.restore({ env: scenario.env });
        await within(scenario.seconds * PATIENCE, scenario.run(stage, report));
      } catch (thrown) {
        error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      }
      await stage?.explain(report);
      const result = resultOf(scenario, report, { durationMs: Date.now() - started, error });
      results.push(result);
      progress.end(describe(result, progress));
      // After a broken promise the state of the stage is unknown.
      if (!result.held) {
        await stage?.stop();
        stage = undefined;
      }
    }
  } finally {
    await stage?.stop();
  }
  return results;
}

async function within(seconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`The scenario took longer than ${seconds} s`)),
      seconds * 1_000,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(result: ScenarioResult, progress: Progress): string {
  const { held, name, durationMs, checks, skipped, error } = result;
  if (skipped !== undefined) return `- ${name}  not tried: ${skipped}`;
  const mark = held ? progress.styled('green', '✓') : progress.styled('red', '✗');
  const time = progress.styled('dim', `${Math.round(durationMs / 1_000)} s`);
  const lines = [`${mark} ${name}  ${time}`];
  for (const check of checks) {
    const sign = check.held ? progress.styled('green', '✓') : progress.styled('red', '✗');
    lines.push(`    ${sign} ${check.statement}: ${check.measured}`);
  }
  if (error)
    lines.push(`    ${progress.styled('red', '✗')} ${error.split('\n').slice(0, 3).join('\n      ')}`);
  return lines.join('\n');
}
