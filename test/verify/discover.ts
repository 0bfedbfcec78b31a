import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedScenario, Scenario, Setting } from './scenario.ts';
import type { Stage } from './stage.ts';

const ENDING = '.scenario.ts';

/** In the order in which they run: by their declared time, the quick ones first, the long soak at the end. */
export async function discoverScenarios<On extends Setting = Stage>(
  directory = join(import.meta.dirname, 'scenarios'),
): Promise<NamedScenario<On>[]> {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .sort();
  const scenarios = await Promise.all(files.map((file) => load<On>(directory, file)));
  return scenarios.sort((a, b) => a.seconds - b.seconds || a.name.localeCompare(b.name));
}

async function load<On extends Setting>(directory: string, file: string): Promise<NamedScenario<On>> {
  const { promise, seconds, env, run } = (await import(join(directory, file))) as Partial<Scenario<On>>;
  if (typeof promise !== 'string' || typeof seconds !== 'number' || typeof run !== 'function') {
    throw new Error(`${file} must export promise (a sentence), seconds (a number) and run (a function)`);
  }
  return { name: file.slice(0, -ENDING.length), promise, seconds, env, run };
}
