import { Progress } from '../../local/progress.ts';
import { describeMachine } from './results.ts';
import type { RunResult, ScenarioResult } from './results.ts';
import { writeReports } from './report/write.ts';

/**
 * Runs scenarios, writes their reports, and says how it ended.
 * @param report where the reports go, and how their files are called
 * @returns the exit code: 0 when all promises held, else 1
 */
export async function concluded(
  chosen: readonly unknown[],
  { directory, name, env }: { directory: string; name: string; env: RunResult['env'] },
  run: () => Promise<ScenarioResult[]>,
): Promise<number> {
  const startedAt = new Date();
  const scenarios = await run();
  const held = scenarios.length === chosen.length && scenarios.every((result) => result.held);
  const files = writeReports(directory, name, {
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    held,
    machine: describeMachine(),
    env,
    scenarios,
  });
  const broken = scenarios.filter((result) => !result.held).map((result) => result.name);
  const progress = new Progress();
  progress.say();
  progress.say(
    held
      ? progress.styled(
          'green',
          scenarios.length === 1 ? 'The promise held.' : `All ${scenarios.length} promises held.`,
        )
      : progress.styled('red', `Broken: ${broken.join(', ')}.`),
  );
  progress.say(`${files.html} shows how it went; ${files.json} has the figures.`);
  return held ? 0 : 1;
}
