import type { ScenarioReport } from '../../scenario-report.ts';
import { COMPONENTS } from '../cluster.ts';
import type { ClusterStage } from '../stage.ts';

export const promise = 'One `kubectl apply` on an empty namespace brings everything up, and no pod restarts.';
export const seconds = 5;

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  for (const component of COMPONENTS) {
    const pods = await stage.cluster.pods(component);
    const restarts = pods.reduce((sum, pod) => sum + pod.restarts, 0);
    report.check(
      `no pod of ${component} was restarted`,
      restarts === 0,
      `${restarts} of ${pods.length} pods`,
    );
  }
  report.figure('until everything was ready', `${stage.firstApplySeconds.toFixed(0)} s`);
}
