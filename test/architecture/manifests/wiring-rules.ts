import type { IDeploymentSpec } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IService } from 'kubernetes-models/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PRODUCT } from '../../../src/product.js';
import { defaultOf } from '../containers.js';
import { idOf, matches, type Cluster } from './cluster.js';
import type { Rule } from './pod-rules.js';

/** Names are possible, unique, and of one namespace. */
export const names: Rule = ({ manifests }) => {
  const seen = new Set<string>();
  const namespaces = new Set(manifests.flatMap(({ metadata }) => metadata.namespace ?? []));
  return [
    ...(namespaces.size === 1 ? [] : [`the objects are in ${namespaces.size} namespaces`]),
    ...manifests.flatMap((manifest) => {
      const { kind, metadata } = manifest;
      const problems = [
        ...(seen.has(idOf(manifest)) ? [`${idOf(manifest)}: there are two`] : []),
        ...(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(metadata.name)
          ? []
          : [`${idOf(manifest)}: is no possible name`]),
        ...(kind === 'Namespace' || metadata.namespace !== undefined
          ? []
          : [`${idOf(manifest)}: has no namespace`]),
        ...(kind === 'Namespace' && !namespaces.has(metadata.name)
          ? [`${idOf(manifest)}: nothing is in it`]
          : []),
      ];
      seen.add(idOf(manifest));
      return problems;
    }),
  ];
};

/** Whatever selects, selects something, and what it should. */
export const selectors: Rule = ({ manifests, pods }) => {
  const selecting = (selector: { matchLabels?: Record<string, string> } | undefined) =>
    pods.filter(({ labels }) => matches(selector, labels));
  return manifests.flatMap((manifest) => {
    const id = idOf(manifest);
    const spec = manifest.spec as Record<string, unknown>;
    switch (manifest.kind) {
      case 'Deployment': {
        const own = pods.filter(({ owner }) => owner === id);
        const selected = selecting((spec as IDeploymentSpec & object).selector as never);
        return [
          ...(selected.length === 1 && selected[0] === own[0]
            ? []
            : [`${id}: does not select its own pods alone`]),
          ...own.flatMap(({ spec: { topologySpreadConstraints = [] }, labels, isProduct }) => [
            ...(isProduct && topologySpreadConstraints.length === 0
              ? [`${id}: is not spread over nodes`]
              : []),
            ...topologySpreadConstraints.flatMap(({ labelSelector, topologyKey }) =>
              matches(labelSelector as never, labels)
                ? []
                : [`${id}: the spread over ${topologyKey} is of other pods`],
            ),
          ]),
        ];
      }
      case 'Service':
        return selecting({ matchLabels: spec.selector as Record<string, string> }).length === 1
          ? []
          : [`${id}: does not select the pods of one Deployment`];
      case 'PodDisruptionBudget':
      case 'PodMonitor':
        return selecting(spec.selector as never).length > 0 ? [] : [`${id}: selects no pod`];
      case 'NetworkPolicy':
        return selecting(spec.podSelector as never).length > 0 ? [] : [`${id}: selects no pod`];
      default:
        return [];
    }
  });
};

/** Secrets that a team makes itself. */
const OUTSIDE = new Set([PRODUCT.name, 'pgbouncer']);

/** Whatever is named is there, or comes from outside. */
export const references: Rule = (cluster) =>
  cluster.pods.flatMap(({ owner, spec, containers }) => {
    const known = (kind: string, name: string | undefined): string[] => {
      const isOutside = kind === 'Secret' && OUTSIDE.has(name ?? '');
      return name === undefined || isOutside || cluster.has(kind, name)
        ? []
        : [`${owner}: there is no ${kind} ${name}`];
    };
    const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
    return [
      ...known('ServiceAccount', spec.serviceAccountName),
      ...(spec.volumes ?? []).flatMap(({ secret, configMap }) => [
        ...known('Secret', secret?.secretName),
        ...known('ConfigMap', configMap?.name),
      ]),
      ...containers.flatMap(({ envFrom = [], env = [], volumeMounts = [] }) => [
        ...envFrom.flatMap(({ configMapRef, secretRef }) => [
          ...known('ConfigMap', configMapRef?.name),
          ...known('Secret', secretRef?.name),
        ]),
        ...env.flatMap(({ valueFrom }) => {
          const { name, key } = valueFrom?.secretKeyRef ?? {};
          const data = cluster.dataOf('Secret', name);
          return [
            ...known('Secret', name),
            ...(key !== undefined && data && !(key in data)
              ? [`${owner}: the Secret ${name} has no ${key}`]
              : []),
          ];
        }),
        ...volumeMounts.flatMap(({ name }) =>
          volumes.has(name) ? [] : [`${owner}: there is no volume ${name}`],
        ),
      ]),
    ];
  });

/** The ports are those of the settings; the public ones lead to the public port and never to the management port. */
export const ports: Rule = (cluster) => [
  ...cluster.pods
    .filter(({ isProduct, manifest }) => isProduct && manifest.kind === 'Deployment')
    .flatMap(({ owner, spec }) =>
      spec.containers.flatMap((container) =>
        (container.ports ?? []).flatMap(({ name, containerPort }) => {
          const setting = name === 'http' ? 'PORT' : 'MANAGEMENT_PORT';
          const expected = Number(cluster.environmentOf(container)[setting] ?? defaultOf(setting));
          return containerPort === expected
            ? []
            : [`${owner}: the port ${name} is ${containerPort}, ${setting} ${expected}`];
        }),
      ),
    ),
  ...cluster.all<IService>('Service').flatMap((service) => {
    const pod = cluster.pods.find(({ labels }) => matches({ matchLabels: service.spec?.selector }, labels));
    const open = pod?.spec.containers.flatMap((container) => container.ports ?? []) ?? [];
    return (service.spec?.ports ?? []).flatMap(({ port, targetPort = port }) => {
      const target = open.find(
        ({ name, containerPort }) => targetPort === name || targetPort === containerPort,
      );
      if (!target) return [`${idOf(service)}: no container has the port ${targetPort}`];
      return target.name === 'management' ? [`${idOf(service)}: leads to the management port`] : [];
    });
  }),
  ...cluster.all<INetworkPolicy>('NetworkPolicy').flatMap((policy) => {
    const named = [...(policy.spec?.ingress ?? []), ...(policy.spec?.egress ?? [])].flatMap((rule) =>
      (rule.ports ?? []).flatMap(({ port }) => (typeof port === 'string' ? [port] : [])),
    );
    const known = new Set(
      cluster.pods.flatMap(({ containers }) =>
        containers.flatMap(({ ports: list = [] }) => list.map(({ name }) => name)),
      ),
    );
    return named
      .filter((port) => !known.has(port))
      .map((port) => `${idOf(policy)}: no container has the port ${port}`);
  }),
];

/** A rollout or a drained node never leaves fewer pods than before, and an apply does not undo what scaling has decided. */
export const availability: Rule = (cluster) =>
  cluster.pods
    .filter(({ isProduct, manifest }) => isProduct && manifest.kind === 'Deployment')
    .flatMap(({ owner, manifest, labels }) => {
      const { replicas, strategy, minReadySeconds = 0 } = manifest.spec as IDeploymentSpec;
      const scaler = cluster
        .all<IHorizontalPodAutoscaler>('HorizontalPodAutoscaler')
        .find(({ spec }) => spec?.scaleTargetRef.name === manifest.metadata.name);
      const scaled = cluster
        .all<{ spec: { scaleTargetRef: { name: string }; minReplicaCount?: number } }>('ScaledObject')
        .find(({ spec }) => spec.scaleTargetRef.name === manifest.metadata.name);
      const least = scaler?.spec?.minReplicas ?? scaled?.spec.minReplicaCount ?? 0;
      const budget = cluster
        .all<IPodDisruptionBudget>('PodDisruptionBudget')
        .find(({ spec }) => matches(spec?.selector as never, labels));
      return [
        ...(replicas === undefined ? [] : [`${owner}: sets replicas, which are its scaler's`]),
        ...(scaler && scaled ? [`${owner}: has two scalers`] : []),
        ...(least >= 2 ? [] : [`${owner}: may be scaled to fewer than 2`]),
        ...(strategy?.rollingUpdate?.maxUnavailable === 0 && strategy.rollingUpdate.maxSurge === 1
          ? []
          : [`${owner}: a rollout is not maxUnavailable 0, maxSurge 1`]),
        ...(minReadySeconds >= 5 ? [] : [`${owner}: minReadySeconds is below 5`]),
        ...(budget?.spec?.maxUnavailable === 1 ? [] : [`${owner}: no budget with maxUnavailable 1`]),
        ...(budget?.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow'
          ? []
          : [`${owner}: its budget keeps unhealthy pods from being evicted`]),
      ];
    });

export function targetsOfScalers(cluster: Cluster): string[] {
  return [
    ...cluster.all<IHorizontalPodAutoscaler>('HorizontalPodAutoscaler').flatMap((scaler) => {
      const { kind, name } = scaler.spec?.scaleTargetRef ?? {};
      return cluster.has(kind ?? '', name) ? [] : [`${idOf(scaler)}: there is no ${kind} ${name}`];
    }),
  ];
}
