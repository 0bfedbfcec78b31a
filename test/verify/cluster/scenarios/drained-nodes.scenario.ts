import type { ScenarioReport } from '../../scenario-report.ts';
import { checkRequests, drain, type ClusterStage } from '../stage.ts';

export const promise = 'Draining each node in turn fails no request and loses no event.';
export const seconds = 300;

const LEAST_REQUESTS = 8_000;

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  const load = await stage.startLoad();
  for (const node of stage.nodes) await report.fault(`drain of ${node}`, () => drain(stage, node));
  await stage.enough(LEAST_REQUESTS);
  const result = await load.stop();
  report.plot('All traffic', result);
  checkRequests(report, result, LEAST_REQUESTS);
  await stage.checkAccounts(report, result);
  report.note(
    'Only pods of the product are evicted: the data of the overlay live as long as the pods of its servers.',
  );
}
