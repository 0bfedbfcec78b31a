import { setTimeout as delay } from 'node:timers/promises';
import type { Interval } from '../../load/load-result.ts';
import type { ScenarioReport } from '../../scenario-report.ts';
import { count, ms, worstOf } from '../../wording.ts';
import type { ClusterStage } from '../stage.ts';

export const promise =
  'With PostgreSQL and then Redis unreachable for 25 s, every cached read is served, no connection is refused, and no pod restarts.';
export const seconds = 120;

const UNREACHABLE_MS = 25_000;
const BETWEEN_MS = 15_000;

const VALKEY = ['valkey-cli', 'CLIENT', 'KILL', 'TYPE'];

/** Each server, and what ends the connections that it has: a Service without endpoints turns away only new ones. */
const SERVERS = {
  postgres: [
    [
      'psql',
      '--username=holdfast',
      '--dbname=holdfast',
      '--command',
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_addr IS NOT NULL',
    ],
  ],
  redis: [
    [...VALKEY, 'normal'],
    [...VALKEY, 'pubsub'],
  ],
};

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  const { cluster } = stage;
  const load = await stage.startLoad();
  await delay(BETWEEN_MS);
  const windows: [string, Interval][] = [];
  for (const [server, cuts] of Object.entries(SERVERS)) {
    const window = await report.fault(`${server} unreachable`, async () => {
      await select(stage, server, 'nobody');
      for (const cut of cuts) await cluster.kubectl('exec', `deployment/${server}`, '--', ...cut);
      await delay(UNREACHABLE_MS);
      await select(stage, server, server);
    });
    windows.push([server, window]);
    report.phase(`${server} is back`);
    await delay(BETWEEN_MS);
  }
  const result = await load.stop();
  report.plot('All traffic', result);
  for (const [server, window] of windows) {
    const { requests, ok, refused, failed, failures, slowestAnswerMs } = result.between(window);
    report.check(
      `without ${server}, every answer is a success or a proper 503`,
      failed === 0,
      `${count(requests)} requests: ${count(ok)} served, ${count(refused)} rejected, ${count(failed)} failed${worstOf(failures)}, slowest ${ms(slowestAnswerMs)}`,
    );
    if (stage.cached === undefined) continue;
    const cached = result.stream(stage.cached).between(window);
    report.check(
      `without ${server}, every cached read is served`,
      cached.requests > 0 && cached.ok === cached.requests,
      `${count(cached.ok)} of ${count(cached.requests)}`,
    );
  }
  const refused = result.losses.filter(({ kind }) => kind === 'connect-refused').length;
  report.check('no connection is refused', refused === 0, count(refused));
  for (const component of ['api', 'worker'] as const) {
    const restarts = (await cluster.pods(component)).reduce((sum, pod) => sum + pod.restarts, 0);
    report.check(`no pod of ${component} was restarted`, restarts === 0, restarts);
  }
  await stage.checkAccounts(report, result);
}

function select(stage: ClusterStage, service: string, name: string): Promise<string> {
  const change = { spec: { selector: { 'app.kubernetes.io/name': name } } };
  return stage.cluster.kubectl('patch', 'service', service, '--patch', JSON.stringify(change));
}
