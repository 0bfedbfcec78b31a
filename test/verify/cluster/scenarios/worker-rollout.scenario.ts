import type { ScenarioReport } from '../../scenario-report.ts';
import { checkRequests, drain, restart, type ClusterStage } from '../stage.ts';

export const promise =
  'While events flow, a rollout of the workers and the drain of a node with one lose no event and double none.';
export const seconds = 200;

const LEAST_REQUESTS = 8_000;

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  const load = await stage.startLoad();
  await report.fault('rollout of the workers', () => restart(stage, 'worker'));
  const [worker] = await stage.cluster.pods('worker');
  await report.fault('drain of a node with a worker', () => drain(stage, worker!.node));
  await stage.enough(LEAST_REQUESTS);
  const result = await load.stop();
  report.plot('All traffic', result);
  checkRequests(report, result, LEAST_REQUESTS);
  await stage.checkAccounts(report, result);
}
