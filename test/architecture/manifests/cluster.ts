import type { IContainer, IPodSpec } from 'kubernetes-models/v1';
import type { Manifest } from '../../../scripts/lib/manifests/kustomization.js';

/** A pod as its Deployment or Job makes it. */
export interface Pod {
  /** `Deployment api`. */
  owner: string;
  manifest: Manifest;
  labels: Record<string, string>;
  spec: IPodSpec;
  /** With those that run before. */
  containers: IContainer[];
  /** It runs the product's own image. */
  isProduct: boolean;
}

type Node = Record<string, unknown>;

/** The objects of one overlay, as the rules see them. */
export class Cluster {
  readonly pods: Pod[];

  /** @param product name of the product, and of its image */
  constructor(
    readonly manifests: Manifest[],
    readonly product: string,
  ) {
    this.pods = manifests.flatMap((manifest) => podsOf(manifest, product));
  }

  all<T>(kind: string): (T & Manifest)[] {
    return this.manifests.filter((manifest) => manifest.kind === kind) as (T & Manifest)[];
  }

  has(kind: string, name: string | undefined): boolean {
    return this.manifests.some((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  }

  /** What a ConfigMap or a Secret of this overlay holds. */
  dataOf(kind: 'ConfigMap' | 'Secret', name: string | undefined): Record<string, string> | undefined {
    const found = this.all<{ data?: Record<string, string> }>(kind).find(
      ({ metadata }) => metadata.name === name,
    );
    if (!found) return undefined;
    const decode = (text: string): string => (kind === 'Secret' ? atob(text) : text);
    return Object.fromEntries(Object.entries(found.data ?? {}).map(([key, text]) => [key, decode(text)]));
  }

  /** The variables that a container gets as they stand in the manifests. */
  environmentOf({ env = [], envFrom = [] }: IContainer): Record<string, string> {
    return {
      ...Object.assign(
        {},
        ...envFrom.map(({ configMapRef }) => this.dataOf('ConfigMap', configMapRef?.name) ?? {}),
      ),
      ...Object.fromEntries(env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
    } as Record<string, string>;
  }
}

export const idOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`;

/** Whether labels have all of a selector's. */
export function matches(
  selector: { matchLabels?: Record<string, string>; matchExpressions?: unknown } | undefined,
  labels: Record<string, string>,
): boolean {
  const expressions = (selector?.matchExpressions ?? []) as {
    key: string;
    operator: string;
    values?: string[];
  }[];
  return (
    Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      if (operator !== 'In') throw new Error(`The operator ${operator} is not known here`);
      return values.includes(labels[key] ?? '');
    })
  );
}

function podsOf(manifest: Manifest, product: string): Pod[] {
  const { template } = (manifest.spec ?? {}) as {
    template?: { metadata?: { labels?: Node }; spec?: IPodSpec };
  };
  if (!['Deployment', 'Job', 'StatefulSet', 'DaemonSet'].includes(manifest.kind) || !template?.spec)
    return [];
  const { spec, metadata } = template;
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const images = containers.map(({ image = '' }) => image.replace(/[:@].*$/, '').replace(/^.*\//, ''));
  return [
    {
      owner: idOf(manifest),
      manifest,
      labels: (metadata?.labels ?? {}) as Record<string, string>,
      spec,
      containers,
      isProduct: images.includes(product),
    },
  ];
}
