import type { Environment } from '../../local/processes.ts';
import type { LoadGenerator } from './load/load-generator.ts';
import type { ScenarioReport } from './scenario-report.ts';
import type { Stage } from './stage.ts';

/** What a scenario runs on. */
export interface Setting {
  readonly load: LoadGenerator;
  /** Repairs what the last scenario broke. */
  restore(scenario: { env?: Environment }): Promise<void>;
  /** What explains a broken promise, or breaks it too. */
  explain(report: ScenarioReport): Promise<void>;
  stop(): Promise<void>;
}

/**
 * One promise and the conditions under which it is tried. A file `scenarios/<name>.scenario.ts` exports these; it is found by its
 * name and needs no registration.
 */
export interface Scenario<On extends Setting = Stage> {
  /** What must hold, in one sentence for people who use the product. */
  promise: string;
  /** About how long it takes; for the progress display. */
  seconds: number;
  /** Added to the stage's environment, for every process of the product. */
  env?: Environment;
  /**
   * Creates the condition and puts its findings into `report`. The promise holds when every check does; a thrown error breaks it
   * too. Its changes to the stage are undone before the next scenario.
   */
  run(stage: On, report: ScenarioReport): Promise<void>;
}

export interface NamedScenario<On extends Setting = Stage> extends Scenario<On> {
  /** File name without its endings. */
  name: string;
}
