import { setTimeout as delay } from 'node:timers/promises';
import { LoadGenerator, type RunningLoad } from '../load/load-generator.ts';
import type { LoadResult } from '../load/load-result.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Scenario, Setting } from '../scenario.ts';
import { byFrequency, count, ms } from '../wording.ts';
import { Cluster, COMPONENTS, schedulableNodes, type Address, type Component } from './cluster.ts';
import { kubectl } from './kubectl.ts';
import type { ClusterOptions } from './options.ts';
import { loadTraffic, type OpenTraffic } from './traffic/traffic.ts';

export type ClusterScenario = Scenario<ClusterStage>;

/** The product on a cluster, under load from outside of it. */
export class ClusterStage implements Setting {
  readonly cluster: Cluster;
  readonly load: LoadGenerator;
  readonly options: ClusterOptions;
  /** Those that pods may run on, the one with PostgreSQL and the other servers first. */
  readonly nodes: string[];
  /** How long the first apply took until everything was ready. */
  readonly firstApplySeconds: number;
  readonly address: Address;
  private traffic: OpenTraffic | undefined;
  private loadStartedAt = 0;

  private constructor(
    parts: Pick<ClusterStage, 'cluster' | 'options' | 'nodes' | 'firstApplySeconds' | 'address'>,
  ) {
    this.cluster = parts.cluster;
    this.options = parts.options;
    this.nodes = parts.nodes;
    this.firstApplySeconds = parts.firstApplySeconds;
    this.address = parts.address;
    this.load = new LoadGenerator((error) => {
      throw error;
    });
  }

  /** Applies the overlay to an empty namespace, once, and waits. */
  static async start(options: ClusterOptions, phase: (what: string) => void): Promise<ClusterStage> {
    const { namespace, image } = options;
    const nodes = (await schedulableNodes()).toSorted();
    if (nodes.length === 0) throw new Error('The cluster has no node that pods may run on');
    phase(`deleting the namespace ${namespace}`);
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait'], { timeoutMs: 600_000 });
    phase('first apply');
    const started = Date.now();
    const cluster = new Cluster({ namespace, image, serversOn: nodes[0]! });
    await cluster.deploy();
    const firstApplySeconds = (Date.now() - started) / 1_000;
    const address = options.address ?? (await cluster.nodePort(nodes[0]!));
    return new ClusterStage({ cluster, options, nodes, firstApplySeconds, address });
  }

  /** Starts half of the requests on fresh connections, the others on kept ones. */
  async startLoad({ at = this.address, perSecond = this.options.rate } = {}): Promise<RunningLoad> {
    this.traffic = await (await loadTraffic()).open(`http://${at.host}:${at.port}`, this.cluster);
    const streams = this.traffic.streams(perSecond);
    this.loadStartedAt = Date.now();
    return this.load.start({
      streams: streams.map((stream) => ({ ...stream, host: at.host, ports: [at.port], halfFresh: true })),
    });
  }

  /** Lets the load go on until it has sent so many requests. */
  async enough(requests: number): Promise<void> {
    const due = this.loadStartedAt + (requests / this.options.rate) * 1_000 + 5_000;
    // At least a moment, in which what just happened may still fail a request.
    await delay(Math.max(2_000, due - Date.now()));
  }

  /** Name of the stream whose answers come from the cache, if there is one. */
  get cached(): string | undefined {
    return this.traffic?.cached;
  }

  /** Whether nothing was lost and nothing doubled of what the load has done. */
  async checkAccounts(report: ScenarioReport, result: LoadResult): Promise<void> {
    report.phase('waiting until every event is handled');
    const { acknowledged, lost, doubled, unreported, mailedAgain, unhandled } = await this.traffic!.accounts(
      result.journal,
    );
    const unanswered = result.journal.filter(({ outcome }) => outcome !== 'ok').length;
    const of = `of ${count(acknowledged)}`;
    report.check('every event is handled', unhandled === 0, `${count(unhandled)} are not`);
    report.check('nothing acknowledged is lost, nor its mail', lost === 0, `${count(lost)} ${of}`);
    const atMost = `${count(unreported)} without a success, of ${count(unanswered)} such requests`;
    report.check('nothing happens twice', doubled === 0 && unreported <= unanswered, atMost);
    report.figure('mails sent again under the same Message-ID', count(mailedAgain));
  }

  /** Deploys the overlay again, on all nodes. */
  async restore(): Promise<void> {
    await this.load.stopAll();
    for (const node of this.nodes) await kubectl(['uncordon', node]);
    await this.cluster.deploy();
  }

  async explain(report: ScenarioReport): Promise<void> {
    if (report.held) return;
    for (const component of COMPONENTS) {
      const pods = await this.cluster.pods(component).catch(() => []);
      for (const { name, node, state, restarts } of pods) {
        const what = `${name} on ${node}: ${state}, ${restarts} restarts`;
        report.evidence.push({ at: new Date().toISOString(), what });
      }
    }
  }

  /** The namespace stays for those who want to look. */
  async stop(): Promise<void> {
    await this.load.close();
    for (const node of this.nodes) await kubectl(['uncordon', node]).catch(() => undefined);
    if (!this.options.keep) await kubectl(['delete', 'namespace', this.options.namespace, '--wait=false']);
  }
}

/** A rollout without a change, as of a node's new version. */
export async function restart(stage: ClusterStage, component: Component): Promise<void> {
  await stage.cluster.kubectl('rollout', 'restart', `deployment/${component}`);
  await stage.cluster.settled([component]);
}

/** Nodes that accept no pods at the moment, because of a drain. */
const draining = new Set<string>();

/** Gives back the nodes that are being drained: for a run that is interrupted. */
export async function returnNodes(): Promise<void> {
  for (const node of draining) await kubectl(['uncordon', node]);
}

/** Evicts what the product has on a node, waits until it runs elsewhere, and gives the node back. */
export async function drain({ cluster }: ClusterStage, node: string): Promise<void> {
  const selector = '--pod-selector=app.kubernetes.io/name=holdfast';
  const force = ['--ignore-daemonsets', '--delete-emptydir-data'];
  draining.add(node);
  await kubectl(['drain', node, selector, ...force, '--timeout=600s'], { timeoutMs: 660_000 });
  await cluster.settled();
  await kubectl(['uncordon', node]);
  draining.delete(node);
}

/** That no request failed, of so many. */
export function checkRequests(report: ScenarioReport, result: LoadResult, atLeast: number): void {
  const { requests, failed, refused, failures, p50, p99, slowestAnswerMs } = result.all;
  const kinds = byFrequency(failures);
  report.check(`at least ${count(atLeast)} requests`, requests >= atLeast, count(requests));
  report.check(
    'no request fails',
    failed === 0,
    kinds === '' ? count(failed) : `${count(failed)} (${kinds})`,
  );
  report.check('no request is rejected', refused === 0, count(refused));
  report.figure('p50, p99 and slowest', `${ms(p50)}, ${ms(p99)}, ${ms(slowestAnswerMs)}`);
}
