import { BlockList } from 'node:net';
import type {
  INetworkPolicy,
  INetworkPolicyPeer,
  INetworkPolicyPort,
} from 'kubernetes-models/networking.k8s.io/v1';
import type { IService } from 'kubernetes-models/v1';
import { settings } from '../containers.js';
import { idOf, matches, type Cluster, type Pod } from './cluster.js';
import type { Rule } from './pod-rules.js';
import { resolved } from './settings-rules.js';

/** One end of a connection: a pod of the namespace, a pod of another one, or an address outside of the cluster. */
type End =
  { pod: Pod } | { namespace: Record<string, string>; labels: Record<string, string> } | { address: string };

/** Whether the NetworkPolicies let a connection be made. A plugin of the cluster has to enforce them. */
function mayConnect(cluster: Cluster, from: End, to: End, port: number, protocol = 'TCP'): boolean {
  const policies = cluster.all<INetworkPolicy>('NetworkPolicy');
  const open = 'pod' in to ? to.pod.containers.flatMap(({ ports = [] }) => ports) : [];
  const isPort = (ports?: INetworkPolicyPort[]): boolean =>
    ports === undefined ||
    ports.some(
      ({ port: allowed, protocol: wanted = 'TCP' }) =>
        wanted === protocol &&
        (allowed === undefined ||
          allowed === port ||
          open.some(({ name, containerPort }) => name === allowed && containerPort === port)),
    );
  const allows = (end: End, other: End, type: 'Ingress' | 'Egress'): boolean => {
    if (!('pod' in end)) return true;
    const about = policies.filter(
      ({ spec }) => spec?.policyTypes?.includes(type) && matches(spec.podSelector as never, end.pod.labels),
    );
    if (about.length === 0) return true;
    return about.some(({ spec }) =>
      type === 'Ingress'
        ? spec?.ingress?.some((rule) => isPort(rule.ports) && isPeer(rule.from, other))
        : spec?.egress?.some((rule) => isPort(rule.ports) && isPeer(rule.to, other)),
    );
  };
  return allows(from, to, 'Egress') && allows(to, from, 'Ingress');
}

function isPeer(peers: INetworkPolicyPeer[] | undefined, end: End): boolean {
  if (peers === undefined) return true;
  return peers.some(({ ipBlock, namespaceSelector, podSelector }) => {
    if ('address' in end) return ipBlock !== undefined && contains(ipBlock, end.address);
    if (ipBlock) return false;
    const labels = 'pod' in end ? end.pod.labels : end.labels;
    const isNamespace =
      'pod' in end
        ? namespaceSelector === undefined
        : namespaceSelector && matches(namespaceSelector as never, end.namespace);
    return Boolean(isNamespace) && matches(podSelector as never, labels);
  });
}

function contains({ cidr, except = [] }: { cidr: string; except?: string[] }, address: string): boolean {
  const covers = (range: string): boolean => {
    const [network = '', bits] = range.split('/');
    const list = new BlockList();
    list.addSubnet(network, Number(bits));
    return list.check(address);
  };
  return covers(cidr) && !except.some(covers);
}

/** Which processes connect to a setting's server; without a line here, any of them. */
const CONNECTING: Record<string, RegExp> = {
  DATABASE_URL: /./,
  REDIS_URL: /^Deployment/,
  DATABASE_REPLICA_URLS: /^Deployment/,
  OTEL_EXPORTER_OTLP_ENDPOINT: /^Deployment/,
  // only: payments
  PAYMENT_PROVIDER_URL: /^Deployment/,
  // end
  // only: pictures
  STORAGE_URL: /^Deployment/,
  // end
  // only: notifications
  SMTP_URL: /^Deployment worker/,
  // end
};

const connections = settings.filter(({ accepts }) => accepts.startsWith('URL with '));

/** Where a server outside of the cluster may be. */
const OUTSIDE = ['10.20.30.40', '203.0.113.9'];

/** Every edge of the degradation matrix is open for those that use it. */
export const openEdges: Rule = (cluster) => {
  const product = cluster.pods.filter(({ isProduct }) => isProduct);
  const dns: End = {
    namespace: { 'kubernetes.io/metadata.name': 'kube-system' },
    labels: { 'k8s-app': 'kube-dns' },
  };
  return [
    ...product.flatMap((pod) =>
      ['UDP', 'TCP'].every((protocol) => mayConnect(cluster, { pod }, dns, 53, protocol))
        ? []
        : [`${pod.owner}: cannot resolve names`],
    ),
    ...connections.flatMap(({ name }) => {
      const set = product.flatMap((pod) => {
        const [container] = pod.spec.containers;
        const urls = container ? resolved(cluster, pod, container).environment[name] : undefined;
        return urls ? [{ pod, url: new URL(urls.split(',')[0] ?? '') }] : [];
      });
      const users = set.filter(({ pod }) => CONNECTING[name]?.test(pod.owner) ?? true);
      const cut = users.filter(({ pod, url }) => !reaches(cluster, pod, url));
      const isMissing = CONNECTING[name] ? cut.length > 0 : users.length > 0 && cut.length === users.length;
      return isMissing
        ? cut.map(({ pod, url }) => `${pod.owner}: cannot reach ${name} on port ${portOf(url)}`)
        : [];
    }),
  ];
};

const PORTS: Record<string, number> = { 'https:': 443, 'http:': 80, 'smtps:': 465 };

const portOf = ({ port, protocol }: URL): number => Number(port) || (PORTS[protocol] ?? 0);

function reaches(cluster: Cluster, pod: Pod, url: URL): boolean {
  const service = cluster.all<IService>('Service').find(({ metadata }) => metadata.name === url.hostname);
  if (!service) {
    const [name = '', namespace = ''] = url.hostname.split('.');
    const other: End = {
      namespace: { 'kubernetes.io/metadata.name': namespace },
      labels: { 'app.kubernetes.io/name': name },
    };
    const ends: End[] = [other, ...OUTSIDE.map((address) => ({ address }))];
    return ends.some((end) => mayConnect(cluster, { pod }, end, portOf(url)));
  }
  const target = cluster.pods.find(({ labels }) => matches({ matchLabels: service.spec?.selector }, labels));
  return target !== undefined && mayConnect(cluster, { pod }, { pod: target }, portOf(url));
}

const METRICS = 'metrics';
const CLIENTS = 'clients';

/** What has no edge is closed. */
export const closedEdges: Rule = (cluster) => {
  const { pods, product } = cluster;
  const outside = (edge?: string): End => ({
    namespace: edge ? { [`${product}/${edge}`]: 'allowed' } : {},
    labels: {},
  });
  const everything = cluster
    .all<INetworkPolicy>('NetworkPolicy')
    .some(
      ({ spec }) =>
        Object.keys(spec?.podSelector ?? {}).length === 0 &&
        spec?.policyTypes?.length === 2 &&
        !spec.ingress &&
        !spec.egress,
    );
  const listening = pods.flatMap((pod) =>
    pod.containers.flatMap(({ ports = [] }) =>
      ports.map(({ name = '', containerPort }) => ({ pod, name, containerPort })),
    ),
  );
  return [
    ...(everything ? [] : ['no policy denies everything that no other allows']),
    ...listening.flatMap(({ pod, name, containerPort }) => {
      const can = (from: End): boolean => mayConnect(cluster, from, { pod }, containerPort);
      const at = `${pod.owner}, port ${name}`;
      const isPublic = pod.isProduct && name === 'http';
      const isManagement = pod.isProduct && name === 'management';
      return [
        ...(!isPublic && can(outside()) ? [`${at}: is open for everybody`] : []),
        ...(!isPublic && can(outside(CLIENTS)) ? [`${at}: is open for clients`] : []),
        ...(isPublic && !can(outside(CLIENTS)) ? [`${at}: is closed for clients`] : []),
        ...(isManagement !== can(outside(METRICS)) && !isPublic
          ? [`${at}: is ${isManagement ? 'closed' : 'open'} for Prometheus`]
          : []),
      ];
    }),
    ...pods.flatMap((pod) =>
      [80, 443, 5432].some((port) => mayConnect(cluster, { pod }, { address: '169.254.169.254' }, port))
        ? [`${pod.owner}: reaches the metadata of the node`]
        : [],
    ),
    ...pods
      .filter(({ owner, isProduct }) => isProduct && owner !== 'Deployment worker')
      .flatMap((pod) =>
        [25, 465, 587].some((port) => mayConnect(cluster, { pod }, { address: '203.0.113.9' }, port))
          ? [`${pod.owner}: may send mail`]
          : [],
      ),
  ];
};

/** The dependencies that the policies are about, as docs/degradation.md names them. */
export const edgesOf = (cluster: Cluster): string[] =>
  cluster
    .all<INetworkPolicy>('NetworkPolicy')
    .flatMap(({ metadata }) => metadata.labels?.[`${cluster.product}/edge`] ?? []);

/** A policy about a dependency is named after it. */
export const namedEdges: Rule = (cluster) =>
  cluster
    .all<INetworkPolicy>('NetworkPolicy')
    .filter(
      ({ metadata }) => (metadata.labels?.[`${cluster.product}/edge`] ?? metadata.name) !== metadata.name,
    )
    .map((policy) => `${idOf(policy)}: is named otherwise than its edge`);
