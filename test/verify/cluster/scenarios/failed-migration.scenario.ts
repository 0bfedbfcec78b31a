import { waitFor } from '../../../../local/wait-for.ts';
import type { ScenarioReport } from '../../scenario-report.ts';
import { COMPONENTS } from '../cluster.ts';
import { patch } from '../overlay.ts';
import { checkRequests, type ClusterStage } from '../stage.ts';

export const promise = 'When a migration fails, the new pods wait and the old ones serve; no request fails.';
export const seconds = 160;

const LEAST_REQUESTS = 5_000;
const NAME = 'failing-migration';
const FILE = '1999999999999-fails.js';
const MIGRATION = `export class Fails1999999999999 {
  name = 'Fails1999999999999';
  async up(runner) { await runner.query('SELECT 1 / 0'); }
  async down() {}
}
`;

const MOUNT = [{ name: NAME, mountPath: `/app/dist/migrations/${FILE}`, subPath: FILE }];
const VOLUMES = [{ name: NAME, configMap: { name: NAME } }];

/** The next release, with one migration more. */
const RELEASE = [
  ...COMPONENTS.map((name) =>
    patch('Deployment', name, {
      spec: {
        template: {
          spec: { initContainers: [{ name: 'await-migrations', volumeMounts: MOUNT }], volumes: VOLUMES },
        },
      },
    }),
  ),
  patch('Job', 'migrate', {
    spec: {
      backoffLimit: 1,
      template: { spec: { containers: [{ name: 'migrate', volumeMounts: MOUNT }], volumes: VOLUMES } },
    },
  }),
];

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  const { cluster } = stage;
  await cluster.kubectl('delete', 'configmap', NAME, '--ignore-not-found');
  await cluster.kubectl('create', 'configmap', NAME, `--from-literal=${FILE}=${MIGRATION}`);
  const load = await stage.startLoad();
  await report.fault('migration fails', async () => {
    await cluster.apply({ patches: RELEASE });
    await cluster.kubectl('wait', cluster.migrationJob, '--for=condition=Failed', '--timeout=300s');
    for (const component of COMPONENTS) {
      await waitFor(async () => (await cluster.pods(component)).some(({ state }) => state === 'Init'), {
        within: 120_000,
        every: 500,
        what: `a pod of ${component} that waits for migrations`,
      });
      const pods = await cluster.pods(component);
      const restarts = pods.reduce((sum, pod) => sum + pod.restarts, 0);
      report.check(
        `no pod of ${component} was restarted`,
        restarts === 0,
        `${restarts} of ${pods.length} pods`,
      );
    }
    const serving = (await cluster.pods('api')).filter(({ ready }) => ready).length;
    report.check('the old pods go on serving', serving === 3, `${serving} ready`);
    const log = await cluster.kubectl('logs', cluster.migrationJob);
    report.check('the log of the Job says why', log.includes('division by zero'), log.slice(-200).trim());
  });
  await report.fault('rollout undo', async () => {
    for (const component of COMPONENTS) await cluster.kubectl('rollout', 'undo', `deployment/${component}`);
    await cluster.settled();
  });
  await stage.enough(LEAST_REQUESTS);
  const result = await load.stop();
  report.plot('All traffic', result);
  checkRequests(report, result, LEAST_REQUESTS);
}
