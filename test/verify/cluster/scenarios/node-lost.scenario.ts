import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { startHaproxy } from '../../../../local/servers/haproxy.ts';
import type { HaproxyServer } from '../../../../local/servers/haproxy.ts';
import type { ScenarioReport } from '../../scenario-report.ts';
import { ms } from '../../wording.ts';
import { kubectl } from '../kubectl.ts';
import { checkRequests, type ClusterStage } from '../stage.ts';

export const promise =
  'Behind a proxy that checks each node and retries by Idempotency-Key, the sudden loss of a node fails no request.';
export const seconds = 180;

const LOST_MS = 60_000;
const LEAST_REQUESTS = 10_000;
const SLOWEST_MS = 3_000;

export async function run(stage: ClusterStage, report: ScenarioReport): Promise<void> {
  const { loseNode, returnNode } = stage.options;
  const node = stage.nodes.find((name) => name !== stage.nodes[0]);
  if (!loseNode || !returnNode || !node) {
    report.skip('it takes --lose-node, --return-node and two nodes');
    return;
  }
  // A node's port leads to the pods of that node alone: the proxy sees which nodes serve.
  await stage.cluster.nodePortsLeadTo('Local');
  const proxy = await proxyFor(
    await Promise.all(stage.nodes.map(async (name) => ({ name, ...(await stage.cluster.nodePort(name)) }))),
  );
  try {
    const load = await stage.startLoad({ at: { host: '127.0.0.1', port: proxy.port } });
    await delay(5_000);
    await report.fault(`${node} lost`, async () => {
      await shell(loseNode, node);
      await delay(LOST_MS);
    });
    await shell(returnNode, node);
    await kubectl(['wait', `node/${node}`, '--for=condition=Ready', '--timeout=300s'], {
      timeoutMs: 360_000,
    });
    await stage.enough(LEAST_REQUESTS);
    const result = await load.stop();
    report.plot('All traffic, through HAProxy', result);
    checkRequests(report, result, LEAST_REQUESTS);
    const { slowestAnswerMs } = result.all;
    report.check(
      `every request is answered within ${SLOWEST_MS / 1_000} s`,
      slowestAnswerMs <= SLOWEST_MS,
      ms(slowestAnswerMs),
    );
    await stage.checkAccounts(report, result);
  } finally {
    await shell(returnNode, node);
    await proxy.stop();
    await stage.cluster.nodePortsLeadTo('Cluster');
  }
}

function proxyFor(nodes: { name: string; host: string; port: number }[]): Promise<HaproxyServer> {
  return startHaproxy({
    config: (port) =>
      [
        'defaults',
        '  mode http',
        '  timeout connect 500ms',
        '  timeout client 30s',
        '  timeout server 1s',
        '  timeout check 400ms',
        '  retries 3',
        '  option redispatch 1',
        '  retry-on conn-failure empty-response response-timeout',
        'frontend api',
        `  bind 127.0.0.1:${port}`,
        '  default_backend nodes',
        'backend nodes',
        '  balance roundrobin',
        // A repeated POST is one only when the api can recognise it.
        '  http-request disable-l7-retry if METH_POST !{ req.hdr(Idempotency-Key) -m found }',
        '  option httpchk GET /openapi.json',
        // Not `on-marked-down shutdown-sessions`: it ends the requests that wait for the lost node instead of retrying them.
        '  default-server inter 500ms fall 1 rise 2',
        ...nodes.map(({ name, host, port: at }) => `  server ${name} ${host}:${at} check`),
        '',
      ].join('\n'),
  });
}

async function shell(command: string, node: string): Promise<void> {
  await promisify(execFile)('sh', ['-c', command.replaceAll('{node}', node)]);
}
