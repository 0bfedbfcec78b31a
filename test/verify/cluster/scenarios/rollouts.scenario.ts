import type { ScenarioReport } from '../../scenario-report.ts';
import { checkRequests, restart, type ClusterStage } from '../stage.ts';

export const promise = 'Three rollouts in a row under load fail no request.';
export const seconds = 400;

const ROLLOUTS = 3;
const LEAST_REQUESTS = 20_000;

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  const load = await stage.startLoad();
  for (let i = 1; i <= ROLLOUTS; i += 1) {
    const { from, to } = await report.fault(`rollout ${i}`, () => restart(stage, 'api'));
    report.figure(`rollout ${i}`, `${((to - from) / 1_000).toFixed(0)} s`);
  }
  report.phase(`until there are ${LEAST_REQUESTS} requests`);
  await stage.enough(LEAST_REQUESTS);
  const result = await load.stop();
  report.plot('All traffic, half of it on fresh connections', result);
  checkRequests(report, result, LEAST_REQUESTS);
  await stage.checkAccounts(report, result);
}
