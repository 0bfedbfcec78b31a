import type { IContainer } from 'kubernetes-models/v1';
import { defaultOf, probes } from '../containers.js';
import type { Cluster, Pod } from './cluster.js';

/** @returns a line for each thing that is wrong */
export type Rule = (cluster: Cluster) => string[];

/** The restricted Pod Security Standard, and what goes beyond it here. */
export const podSecurity: Rule = ({ pods }) =>
  pods.flatMap(({ owner, spec, containers }) => [
    ...(spec.securityContext?.runAsNonRoot === true ? [] : [`${owner}: runAsNonRoot is not true`]),
    ...((spec.securityContext?.runAsUser ?? 0) > 0 ? [] : [`${owner}: runAsUser is no number above 0`]),
    ...(spec.securityContext?.seccompProfile?.type === 'RuntimeDefault'
      ? []
      : [`${owner}: seccompProfile is not RuntimeDefault`]),
    ...(['hostNetwork', 'hostPID', 'hostIPC'] as const).flatMap((field) =>
      spec[field] ? [`${owner}: ${field} is set`] : [],
    ),
    ...(spec.volumes ?? []).flatMap(({ name, hostPath }) =>
      hostPath ? [`${owner}: volume ${name} is a hostPath`] : [],
    ),
    ...(spec.automountServiceAccountToken === false
      ? []
      : [`${owner}: mounts a token of the service account`]),
    ...(spec.enableServiceLinks === false
      ? []
      : [
          `${owner}: enableServiceLinks is not false; variables of other Services could be taken for settings`,
        ]),
    ...containers.flatMap((container) => containerSecurity(owner, container)),
  ]);

function containerSecurity(owner: string, { name, securityContext, ports = [] }: IContainer): string[] {
  const at = `${owner}, container ${name}`;
  const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities, privileged, runAsUser } =
    securityContext ?? {};
  return [
    ...(allowPrivilegeEscalation === false ? [] : [`${at}: allowPrivilegeEscalation is not false`]),
    ...(readOnlyRootFilesystem === true ? [] : [`${at}: readOnlyRootFilesystem is not true`]),
    ...(capabilities?.drop?.includes('ALL') && !capabilities.add
      ? []
      : [`${at}: does not drop all capabilities`]),
    ...(privileged || runAsUser === 0 ? [`${at}: is privileged`] : []),
    ...ports.flatMap(({ hostPort }) => (hostPort ? [`${at}: has a hostPort`] : [])),
  ];
}

const UNITS: Record<string, number> = { Mi: 1, Gi: 1024 };

const megabytes = (quantity: unknown): number => {
  const [, amount, unit = ''] = /^(\d+)(Mi|Gi)$/.exec(String(quantity)) ?? [];
  return Number(amount) * (UNITS[unit] ?? Number.NaN);
};

/** What Node, its libraries and its buffers may need beside the old generation, at least. */
const OUTSIDE_THE_HEAP_MB = 240;

export const resources: Rule = (cluster) =>
  cluster.pods.flatMap(({ owner, containers, isProduct }) =>
    containers.flatMap((container) => {
      const { requests, limits } = container.resources ?? {};
      const at = `${owner}, container ${container.name}`;
      const memory = megabytes(limits?.memory);
      const { NODE_OPTIONS = '' } = cluster.environmentOf(container);
      const [, heap] = /--max-old-space-size=(\d+)/.exec(NODE_OPTIONS) ?? [];
      return [
        ...(Number.isNaN(memory) ? [`${at}: has no limit for memory in Mi or Gi`] : []),
        ...(isProduct && requests?.memory !== limits?.memory
          ? [`${at}: requests another memory than its limit`]
          : []),
        ...(requests?.cpu === undefined ? [`${at}: requests no cpu`] : []),
        ...(limits?.cpu === undefined ? [] : [`${at}: has a limit for cpu, which throttles the event loop`]),
        ...(isProduct && container.ports && heap === undefined ? [`${at}: has no --max-old-space-size`] : []),
        ...(heap !== undefined && memory - Number(heap) < OUTSIDE_THE_HEAP_MB
          ? [`${at}: a heap of ${heap} MB leaves less than ${OUTSIDE_THE_HEAP_MB} of its ${memory} MB`]
          : []),
      ];
    }),
  );

/** The product's own probes, on the management port, as often as they were measured with. */
export const probing: Rule = ({ pods }) =>
  pods.flatMap(({ owner, spec, isProduct, manifest }) =>
    isProduct && manifest.kind === 'Deployment'
      ? spec.containers.flatMap((container) =>
          (
            [
              ['startupProbe', '/health/startup', 1, 60],
              ['readinessProbe', '/health/ready', 2, 2],
              ['livenessProbe', '/health/live', 5, 6],
            ] as const
          ).flatMap(([field, path, period, failures]) => {
            const probe = container[field];
            const at = `${owner}: ${field}`;
            if (!probe?.httpGet) return [`${at} is missing`];
            const port = container.ports?.find(({ name }) => name === probe.httpGet?.port)?.containerPort;
            return [
              ...(probe.httpGet.path === path && probes.includes(path) ? [] : [`${at} does not ask ${path}`]),
              ...(port === defaultOf('MANAGEMENT_PORT') ? [] : [`${at} does not ask the management port`]),
              ...(probe.periodSeconds === period && probe.failureThreshold === failures
                ? []
                : [`${at} is not every ${period} s, ${failures} times`]),
            ];
          }),
        )
      : [],
  );

/** In seconds, beyond the shutdown of the process: for the kubelet, and for a node that is busy. */
const KUBELET_RESERVE = 5;

/** The process ends by itself before it is killed, and it alone drains. */
export const grace: Rule = (cluster) =>
  cluster.pods.flatMap(({ owner, spec, isProduct, manifest }) => {
    if (!isProduct || manifest.kind !== 'Deployment') return [];
    return spec.containers.flatMap((container) => {
      const environment = cluster.environmentOf(container);
      const seconds = (name: string): number => Number(environment[name] ?? defaultOf(name)) / 1000;
      const preStop = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const needed = preStop + seconds('SHUTDOWN_TIMEOUT_MS') + KUBELET_RESERVE;
      const given = spec.terminationGracePeriodSeconds ?? 30;
      return [
        ...(given >= needed ? [] : [`${owner}: has ${given} s to end, and needs ${needed}`]),
        ...(container.lifecycle ? [`${owner}: has a hook; the process drains by itself`] : []),
        ...(seconds('SHUTDOWN_DRAIN_DELAY_MS') >= 5
          ? []
          : [`${owner}: drains for less than 5 s; load balancers would send requests to a closed port`]),
      ];
    });
  });

/** Of the servers of a try-out only tags are known. */
export const images: Rule = ({ pods, product }) =>
  pods.flatMap(({ owner, containers }) =>
    containers.flatMap(({ name, image = '' }) =>
      /^[a-z0-9.-]+\/.+@sha256:[0-9a-f]{64}$/.test(image) || image === `${product}:dev`
        ? []
        : [`${owner}, container ${name}: ${image} has no registry and digest`],
    ),
  );

/** New pods begin when the schema is there, and have given up before the rollout has. */
export const migrationsFirst: Rule = ({ pods }) =>
  pods.flatMap(({ owner, manifest, spec, isProduct }) => {
    if (!isProduct || manifest.kind !== 'Deployment') return [];
    const command = spec.initContainers?.[0]?.command?.join(' ') ?? '';
    const [, seconds] = /^node dist\/cli\.js migrate:status --wait (\d+)$/.exec(command) ?? [];
    const { progressDeadlineSeconds = 600 } = manifest.spec as { progressDeadlineSeconds?: number };
    if (seconds === undefined) return [`${owner}: does not wait for the migrations`];
    return Number(seconds) < progressDeadlineSeconds
      ? []
      : [
          `${owner}: waits for the migrations for ${seconds} s, and has ${progressDeadlineSeconds} s for its rollout`,
        ];
  });

/** Commands of the product's image, as node is given them. */
export const commandsOf = ({ containers, isProduct }: Pod): string[][] =>
  isProduct ? containers.map(({ command = [] }) => command) : [];
