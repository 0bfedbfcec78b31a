import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { localPath, repositoryRoot } from '../../../local/servers/paths.ts';

/** What differs from the overlay as it is, as a release does that differs from the one before. */
export interface Change {
  settings?: Record<string, string>;
  /** Of kustomize. */
  patches?: Patch[];
}

export interface Patch {
  target: { kind: string; name?: string };
  patch: string;
  options?: { allowNameChange: boolean };
}

export interface Base {
  namespace: string;
  image: string;
  /** PostgreSQL and the other servers stay here: their data live as long as their pods, and are not what is tried. */
  serversOn: string;
}

/** It brings all servers. */
const OVERLAY = join(repositoryRoot, 'deploy/kubernetes/overlays/dev');

/** Pods of the api and of the worker; more would only be more to wait for. */
export const REPLICAS = { api: 3, worker: 2 };
export const NODE_PORT_SERVICE = 'api-from-outside';

/** Jobs cannot be changed: each deployment has its own, as the overlays of releases do. */
const JOBS = ['migrate', 'demo-data'];

/** Writes a kustomization on top of the overlay. @returns its directory, for `kubectl apply -k` */
export function writeOverlay(base: Base, { settings = {}, patches = [] }: Change, revision: number): string {
  const directory = localPath('cluster', `revision-${revision}`);
  mkdirSync(directory, { recursive: true });
  const at = base.image.lastIndexOf('@') > 0 ? base.image.lastIndexOf('@') : base.image.lastIndexOf(':');
  const [newName, version] = [base.image.slice(0, at), base.image.slice(at + 1)];
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: base.namespace,
    resources: [relative(directory, OVERLAY), 'from-outside.yaml'],
    // The load is a few customers from one address: their rate limits are for others. Production would not allow that.
    configMapGenerator: [
      {
        name: 'holdfast',
        behavior: 'merge',
        literals: Object.entries({ NODE_ENV: 'test', RATE_LIMIT_ENABLED: 'false', ...settings }).map(
          ([name, value]) => `${name}=${value}`,
        ),
      },
    ],
    images: [
      { name: 'holdfast', newName, ...(base.image[at] === '@' ? { digest: version } : { newTag: version }) },
    ],
    patches: [
      // Before the Jobs have other names.
      ...patches,
      ...Object.entries(REPLICAS).map(([name, replicas]) =>
        patch('HorizontalPodAutoscaler', name, { spec: { minReplicas: replicas, maxReplicas: replicas } }),
      ),
      ...JOBS.map((name) => ({
        ...patch('Job', name, { metadata: { name: `${name}-${revision}` } }),
        options: { allowNameChange: true },
      })),
      patch('Deployment', '(postgres|redis|mailpit|sandbox)', {
        spec: { template: { spec: { nodeSelector: { 'kubernetes.io/hostname': base.serversOn } } } },
      }),
      // It forgets the oldest of five hundred mails otherwise.
      patch('Deployment', 'mailpit', {
        spec: {
          template: {
            spec: { containers: [{ name: 'mailpit', env: [{ name: 'MP_MAX_MESSAGES', value: '0' }] }] },
          },
        },
      }),
    ],
  };
  writeFileSync(join(directory, 'kustomization.yaml'), stringify(kustomization));
  writeFileSync(join(directory, 'from-outside.yaml'), stringify(FROM_OUTSIDE));
  return directory;
}

/** A strategic merge, which names no object, so that it can be for several. */
export function patch(kind: string, name: string, change: object): Patch {
  const merge = { apiVersion: 'any', kind, metadata: { name: 'any' }, ...change };
  return { target: { kind, name }, patch: stringify(merge) };
}

const FROM_OUTSIDE = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: NODE_PORT_SERVICE },
  spec: {
    type: 'NodePort',
    selector: { 'app.kubernetes.io/name': 'holdfast', 'app.kubernetes.io/component': 'api' },
    ports: [{ name: 'http', port: 80, targetPort: 'http' }],
  },
};
