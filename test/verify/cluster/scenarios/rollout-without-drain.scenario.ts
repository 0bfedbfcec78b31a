import type { ScenarioReport } from '../../scenario-report.ts';
import { count, worstOf } from '../../wording.ts';
import { restart, type ClusterStage } from '../stage.ts';

export const promise =
  'Without its drain, a rollout does fail requests: what finds none elsewhere can find them.';
export const seconds = 401;

const MOST_ROLLOUTS = 4;

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  await stage.cluster.deploy({ settings: { SHUTDOWN_DRAIN_DELAY_MS: '0' } });
  let requests = 0;
  let failed = 0;
  let rollouts = 0;
  let kinds = '';
  // Whether a request meets the gap of milliseconds is chance.
  while (failed === 0 && rollouts < MOST_ROLLOUTS) {
    rollouts += 1;
    const load = await stage.startLoad();
    await report.fault(`rollout ${rollouts}, no drain`, () => restart(stage, 'api'));
    const result = await load.stop();
    requests += result.all.requests;
    failed += result.all.failed;
    kinds = worstOf(result.all.failures);
    report.plot(`Rollout ${rollouts}`, result);
  }
  const of = `${count(failed)}${kinds} of ${count(requests)}, in ${rollouts} rollouts`;
  report.check('requests fail', failed > 0, of);
}
