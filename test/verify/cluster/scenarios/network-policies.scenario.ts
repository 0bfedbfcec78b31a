import type { ScenarioReport } from '../../scenario-report.ts';
import { kubectl } from '../kubectl.ts';
import { checkRequests, type ClusterStage } from '../stage.ts';

export const promise =
  'A pod of another namespace reaches the api, and neither its management port nor the servers; no pod of the product reaches more than it needs.';
export const seconds = 120;

const LEAST_REQUESTS = 2_000;
const STRANGER = 'holdfast-stranger';

/** Prints whether a connection comes about. A policy may drop or reject it; a name that is not found says nothing. */
const KNOCK = `
  const [host, port] = process.argv.slice(1);
  const socket = require('node:net').connect({ host, port, timeout: 3000 });
  const end = (how) => { console.log(how); process.exit(); };
  socket.on('connect', () => end('open')).on('timeout', () => end('closed'));
  socket.on('error', ({ code }) => end(['ENOTFOUND', 'EAI_AGAIN'].includes(code) ? code : 'closed'));
`;

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  const { cluster, options } = stage;
  const load = await stage.startLoad();
  await addStranger(options.image);
  try {
    const [api, worker] = await Promise.all([cluster.podAddress('api'), cluster.podAddress('worker')]);
    const servers = `${options.namespace}.svc`;
    const stranger = ['--namespace', 'default', 'exec', STRANGER];
    const own = (component: string) => ['--namespace', options.namespace, 'exec', `deployment/${component}`];
    const closed: [string, string[], string, number][] = [
      ['a stranger to PostgreSQL', stranger, `postgres.${servers}`, 5432],
      ['a stranger to Redis', stranger, `redis.${servers}`, 6379],
      ['a stranger to the management port of the api', stranger, api, 3001],
      ['a stranger to the management port of the worker', stranger, worker, 3001],
      ['the api to the management port of the worker', own('api'), worker, 3001],
      ['the worker to the api', own('worker'), api, 3000],
      ['the api to the API of Kubernetes', own('api'), 'kubernetes.default.svc', 443],
    ];
    const open: typeof closed = [
      ['a stranger to the api', stranger, `api.${servers}`, 80],
      ['the api to PostgreSQL', own('api'), 'postgres', 5432],
      ['the worker to Redis', own('worker'), 'redis', 6379],
    ];
    const found = new Map<string, string>();
    for (const [what, from, host, port] of [...closed, ...open]) {
      const answer = await kubectl([...from, '--', 'node', '-e', KNOCK, host, String(port)]);
      found.set(what, answer.trim());
    }
    if (closed.every(([what]) => found.get(what) === 'open')) {
      await load.stop();
      report.skip('the network plugin of this cluster enforces no NetworkPolicy');
      return;
    }
    for (const [what] of closed)
      report.check(`closed: ${what}`, found.get(what) === 'closed', found.get(what)!);
    for (const [what] of open) report.check(`open: ${what}`, found.get(what) === 'open', found.get(what)!);
    await stage.enough(LEAST_REQUESTS);
    const result = await load.stop();
    checkRequests(report, result, LEAST_REQUESTS);
    // Mails and events go along edges of their own.
    await stage.checkAccounts(report, result);
  } finally {
    await kubectl(['--namespace', 'default', 'delete', 'pod', STRANGER, '--grace-period=1']);
  }
}

/** A pod of the namespace `default`, which has no policies: what it cannot reach is closed by those of the product. */
async function addStranger(image: string): Promise<void> {
  const container = { name: 'node', image, command: ['node', '-e', 'setTimeout(() => {}, 1e9)'] };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: STRANGER },
    spec: { containers: [container] },
  };
  await kubectl(['--namespace', 'default', 'apply', '--filename', '-'], { input: JSON.stringify(pod) });
  await kubectl([
    '--namespace',
    'default',
    'wait',
    `pod/${STRANGER}`,
    '--for=condition=Ready',
    '--timeout=100s',
  ]);
}
