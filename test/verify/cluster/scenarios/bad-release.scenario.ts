import type { ScenarioReport } from '../../scenario-report.ts';
import { patch } from '../overlay.ts';
import { checkRequests, type ClusterStage } from '../stage.ts';

export const promise = 'A release that never gets ready stops by itself and is undone; no request fails.';
export const seconds = 150;

const DEADLINE_SECONDS = 30;
const LEAST_REQUESTS = 5_000;

/** Its pods start, and never listen. */
const NEVER_READY = patch('Deployment', 'api', {
  spec: {
    progressDeadlineSeconds: DEADLINE_SECONDS,
    template: {
      spec: { containers: [{ name: 'api', command: ['node', '-e', 'setTimeout(() => {}, 1e9)'] }] },
    },
  },
});

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  const { cluster } = stage;
  const load = await stage.startLoad();
  let outcome: string | undefined;
  await report.fault('release that never gets ready', async () => {
    await cluster.apply({ patches: [NEVER_READY] });
    outcome = await cluster.rolloutFails('api', 10 * DEADLINE_SECONDS);
    const serving = (await cluster.pods('api')).filter(({ ready }) => ready).length;
    report.check('the old pods go on serving', serving === 3, `${serving} ready`);
  });
  report.check(
    'the rollout fails at its deadline',
    outcome?.includes('exceeded its progress deadline') ?? false,
    outcome ?? 'it succeeded',
  );
  await report.fault('rollout undo', async () => {
    await cluster.kubectl('rollout', 'undo', 'deployment/api');
    await cluster.settled();
  });
  await stage.enough(LEAST_REQUESTS);
  const result = await load.stop();
  report.plot('All traffic', result);
  checkRequests(report, result, LEAST_REQUESTS);
}
