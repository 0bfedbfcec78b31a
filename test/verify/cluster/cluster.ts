import { waitFor } from '../../../local/wait-for.ts';
import { kubectl } from './kubectl.ts';
import { NODE_PORT_SERVICE, REPLICAS, writeOverlay, type Base, type Change } from './overlay.ts';

export type Component = keyof typeof REPLICAS;
export const COMPONENTS = Object.keys(REPLICAS) as Component[];

/** A slow machine needs minutes for a rollout: three pods, one after another, each with its drain. */
const ROLLOUT_MS = 600_000;

/** Where clients outside of the cluster find the api. */
export interface Address {
  host: string;
  port: number;
}

export interface Pod {
  name: string;
  node: string;
  restarts: number;
  ready: boolean;
  /** Such as `Running`, `Init:Error` or `CrashLoopBackOff`. */
  state: string;
}

interface PodList {
  items: {
    metadata: { name: string; deletionTimestamp?: string };
    spec: { nodeName?: string };
    status: {
      phase: string;
      conditions?: { type: string; status: string }[];
      containerStatuses?: ContainerStatus[];
      initContainerStatuses?: ContainerStatus[];
    };
  }[];
}

interface ContainerStatus {
  restartCount: number;
  state: { waiting?: { reason?: string }; terminated?: { reason?: string; exitCode: number } };
}

/** The product in a namespace of its own, by kubectl alone. */
export class Cluster {
  private revision = 0;
  private readonly base: Base;

  constructor(base: Base) {
    this.base = base;
  }

  /** `kubectl --namespace` of the product's. */
  kubectl(...args: string[]): Promise<string> {
    return kubectl(['--namespace', this.base.namespace, ...args], { timeoutMs: ROLLOUT_MS + 60_000 });
  }

  /** Applies a release, and does not wait for it. */
  async apply(change: Change = {}): Promise<void> {
    this.revision += 1;
    await this.kubectl('apply', '--kustomize', writeOverlay(this.base, change, this.revision));
  }

  /** Applies a release and waits until it alone runs. */
  async deploy(change: Change = {}): Promise<void> {
    await this.apply(change);
    await this.settled();
  }

  /** The Job that migrates for the release that was applied last. */
  get migrationJob(): string {
    return `job/migrate-${this.revision}`;
  }

  /** Waits until the latest version of both Deployments runs in the wanted number, and nothing else does. */
  async settled(components: Component[] = COMPONENTS): Promise<void> {
    for (const component of components) {
      await this.kubectl('rollout', 'status', `deployment/${component}`, `--timeout=${ROLLOUT_MS / 1_000}s`);
      await waitFor(
        async () => {
          const pods = await this.pods(component);
          return pods.length === REPLICAS[component] && pods.every(({ ready }) => ready);
        },
        { within: ROLLOUT_MS, every: 500, what: `${REPLICAS[component]} ready pods of ${component}` },
      );
    }
  }

  async rolloutFails(component: Component, seconds: number): Promise<string | undefined> {
    try {
      await this.kubectl('rollout', 'status', `deployment/${component}`, `--timeout=${seconds}s`);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** With those that are ending. */
  async pods(component: Component): Promise<Pod[]> {
    const selector = `app.kubernetes.io/name=holdfast,app.kubernetes.io/component=${component}`;
    const list = await this.kubectl('get', 'pods', '--selector', selector, '--output', 'json');
    return (JSON.parse(list) as PodList).items.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      node: spec.nodeName ?? '',
      restarts: all(status).reduce((sum, { restartCount }) => sum + restartCount, 0),
      ready: status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
      state: metadata.deletionTimestamp ? 'Terminating' : stateOf(status),
    }));
  }

  /** The address of one of its pods. */
  async podAddress(component: Component): Promise<string> {
    const [pod] = await this.pods(component);
    return this.kubectl('get', 'pod', pod!.name, '--output', 'jsonpath={.status.podIP}');
  }

  /** Where a node port leads: to the pods of that node alone, or to all. */
  async nodePortsLeadTo(pods: 'Local' | 'Cluster'): Promise<void> {
    const change = JSON.stringify({ spec: { externalTrafficPolicy: pods } });
    await this.kubectl('patch', 'service', NODE_PORT_SERVICE, '--patch', change);
  }

  /** The address of a node, with the port on which it leads to the api. */
  async nodePort(node: string): Promise<Address> {
    const internal = 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}';
    const hosts = await kubectl(['get', 'node', node, '--output', internal]);
    const ports = 'jsonpath={.spec.ports[0].nodePort}';
    const port = await this.kubectl('get', 'service', NODE_PORT_SERVICE, '--output', ports);
    return { host: hosts.split(' ')[0]!, port: Number(port) };
  }

  /** A query in the server's own pod. @returns the lines of its answer, with columns joined by `|` */
  async sql(query: string): Promise<string[]> {
    const psql = ['psql', '--username=holdfast', '--dbname=holdfast', '-tA', '--command', query];
    const out = await this.kubectl('exec', 'deployment/postgres', '--', ...psql);
    return out.split('\n').filter((line) => line !== '');
  }
}

function all(status: PodList['items'][number]['status']): ContainerStatus[] {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
}

function stateOf(status: PodList['items'][number]['status']): string {
  for (const { state } of all(status)) {
    if (state.waiting?.reason && state.waiting.reason !== 'PodInitializing') return state.waiting.reason;
    if (state.terminated && state.terminated.exitCode !== 0) return state.terminated.reason ?? 'Error';
  }
  const initialising = status.initContainerStatuses?.some(({ state }) => !state.terminated) ?? false;
  return initialising ? 'Init' : status.phase;
}

/** Names of the nodes that pods may run on. */
export async function schedulableNodes(): Promise<string[]> {
  const list = await kubectl(['get', 'nodes', '--output', 'json']);
  const { items } = JSON.parse(list) as {
    items: {
      metadata: { name: string };
      spec: { unschedulable?: boolean; taints?: { effect: string }[] };
    }[];
  };
  return items
    .filter(({ spec }) => !spec.unschedulable)
    .filter(({ spec }) => !spec.taints?.some(({ effect }) => effect !== 'PreferNoSchedule'))
    .map(({ metadata }) => metadata.name);
}
