import { describe, expect, it, vi } from 'vitest';
import type { Manifest } from '../../scripts/lib/manifests/kustomization.js';
import { root } from './containers.js';
import { build, clusterOf } from './manifests/overlays.js';
import { problemsOf } from './manifests/rules.js';
import { typeProblems } from './manifests/types.js';

// TypeScript takes its time on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

/* oxlint-disable typescript/no-explicit-any -- a fault may be anywhere, and need not have any type */
type Any = any;

function find(manifests: Manifest[], id: string): Any {
  const [kind, name] = id.split(' ');
  const found = manifests.find(
    (manifest) => manifest.kind === kind && manifest.metadata.name.startsWith(name ?? ''),
  );
  if (!found) throw new Error(`There is no ${id}`);
  return found;
}

const podOf = (manifests: Manifest[], id: string): Any => find(manifests, id).spec.template.spec;
const containerOf = (manifests: Manifest[], id: string): Any => podOf(manifests, id).containers[0];

/** Faults that a person might make, and what the rules say about them. */
const FAULTS: { fault: string; plant: (manifests: Manifest[]) => unknown; says: string }[] = [
  {
    fault: 'a container that may write to its file system',
    plant: (all) => (containerOf(all, 'Deployment api').securityContext.readOnlyRootFilesystem = false),
    says: 'Deployment api, container api: readOnlyRootFilesystem is not true',
  },
  {
    fault: 'a Job that runs as root',
    plant: (all) => (podOf(all, 'Job migrate').securityContext.runAsUser = 0),
    says: 'Job migrate-unreleased: runAsUser is no number above 0',
  },
  {
    fault: 'a limit for the CPU',
    plant: (all) => (containerOf(all, 'Deployment worker').resources.limits.cpu = '1'),
    says: 'Deployment worker, container worker: has a limit for cpu, which throttles the event loop',
  },
  {
    fault: 'a heap that fills the memory limit',
    plant: (all) => (containerOf(all, 'Deployment api').env[0].value = '--max-old-space-size=700'),
    says: 'Deployment api, container api: a heap of 700 MB leaves less than 240 of its 768 MB',
  },
  {
    fault: 'a liveness probe that asks for readiness',
    plant: (all) => (containerOf(all, 'Deployment api').livenessProbe.httpGet.path = '/health/ready'),
    says: 'Deployment api: livenessProbe does not ask /health/live',
  },
  {
    fault: 'a probe of the public port',
    plant: (all) => (containerOf(all, 'Deployment api').readinessProbe.httpGet.port = 'http'),
    says: 'Deployment api: readinessProbe does not ask the management port',
  },
  {
    fault: 'a grace period that is shorter than the shutdown',
    plant: (all) => delete podOf(all, 'Deployment worker').terminationGracePeriodSeconds,
    says: 'Deployment worker: has 30 s to end, and needs 40',
  },
  {
    fault: 'a second drain in a hook',
    plant: (all) => (containerOf(all, 'Deployment api').lifecycle = { preStop: { sleep: { seconds: 10 } } }),
    says: 'Deployment api: has 45 s to end, and needs 50',
  },
  {
    fault: 'a tag instead of a digest',
    plant: (all) => (containerOf(all, 'Deployment api').image = 'registry.example.com/holdfast:latest'),
    says: 'Deployment api, container api: registry.example.com/holdfast:latest has no registry and digest',
  },
  {
    fault: 'no wait for the migrations',
    plant: (all) => delete podOf(all, 'Deployment worker').initContainers,
    says: 'Deployment worker: does not wait for the migrations',
  },
  {
    fault: 'a Service that selects nothing',
    plant: (all) => (find(all, 'Service api').spec.selector['app.kubernetes.io/component'] = 'apis'),
    says: 'Service api: does not select the pods of one Deployment',
  },
  {
    fault: 'a Service of the management port',
    plant: (all) => (find(all, 'Service api').spec.ports[0].targetPort = 'management'),
    says: 'Service api: leads to the management port',
  },
  {
    fault: 'a ConfigMap that is not there',
    plant: (all) => (containerOf(all, 'Deployment api').envFrom[0].configMapRef.name = 'holdfast'),
    says: 'Deployment api: there is no ConfigMap holdfast',
  },
  {
    fault: 'replicas beside a scaler',
    plant: (all) => (find(all, 'Deployment api').spec.replicas = 3),
    says: "Deployment api: sets replicas, which are its scaler's",
  },
  {
    fault: 'one replica at night',
    plant: (all) => (find(all, 'HorizontalPodAutoscaler worker').spec.minReplicas = 1),
    says: 'Deployment worker: may be scaled to fewer than 2',
  },
  {
    fault: 'a budget that blocks the drain of a node',
    plant: (all) => delete find(all, 'PodDisruptionBudget api').spec.unhealthyPodEvictionPolicy,
    says: 'Deployment api: its budget keeps unhealthy pods from being evicted',
  },
  {
    fault: 'a misspelt setting',
    plant: (all) => (find(all, 'ConfigMap holdfast').data.SHUTDOWN_TIMEOUT = '35000'),
    says: 'Deployment api, container api: there is no setting SHUTDOWN_TIMEOUT',
  },
  {
    fault: 'a setting that production requires, left out',
    plant: (all) => delete find(all, 'ConfigMap holdfast').data.REDIS_URL_FILE,
    says: 'Deployment api, container api: REDIS_URL: must be set when NODE_ENV=production; the default is for development',
  },
  {
    fault: 'a value that the product refuses',
    plant: (all) => (find(all, 'ConfigMap holdfast').data.SHUTDOWN_DRAIN_DELAY_MS = '15s'),
    says: 'Job migrate-unreleased, container migrate: SHUTDOWN_DRAIN_DELAY_MS: must be a number, not "15s"',
  },
  {
    fault: 'a secret in a ConfigMap',
    plant: (all) => (find(all, 'ConfigMap holdfast').data.AUTH_TOKEN_SECRET = 'x'.repeat(40)),
    says: 'AUTH_TOKEN_SECRET is a secret',
  },
  {
    fault: 'no edge to Redis for workers',
    plant: (all) => (find(all, 'NetworkPolicy redis').spec.podSelector.matchExpressions[0].values = ['api']),
    says: 'Deployment worker: cannot reach REDIS_URL on port 6379',
  },
  {
    fault: 'an edge for all to all',
    plant: (all) => (find(all, 'NetworkPolicy metrics').spec.ingress = [{}]),
    says: 'Deployment worker, port management: is open for everybody',
  },
  {
    fault: 'a way to the metadata of the node',
    plant: (all) => (find(all, 'NetworkPolicy postgresql').spec.egress = [{}]),
    says: 'Deployment api: reaches the metadata of the node',
  },
  {
    fault: 'nothing that is denied',
    plant: (all) => all.splice(all.indexOf(find(all, 'NetworkPolicy default-deny')), 1),
    says: 'no policy denies everything that no other allows',
  },
];

/** Faults that only the types of Kubernetes know. */
const TYPOS: { plant: (manifests: Manifest[]) => unknown; says: RegExp }[] = [
  {
    plant: (all) => (podOf(all, 'Deployment api').terminationGracePeriodSecond = 45),
    says: /^Deployment api: "terminationGracePeriodSecond": .+does not exist/,
  },
  {
    plant: (all) => (containerOf(all, 'Deployment worker').livenessProbe.failureTreshold = 6),
    says: /^Deployment worker: "failureTreshold": .+does not exist/,
  },
  {
    plant: (all) => (find(all, 'PodDisruptionBudget worker').spec.unhealthyPodEvictionPolicy = true),
    says: /^PodDisruptionBudget worker: "unhealthyPodEvictionPolicy": .+not assignable/,
  },
  {
    plant: (all) => (find(all, 'HorizontalPodAutoscaler api').spec.minReplicas = '3'),
    says: /^HorizontalPodAutoscaler api: "minReplicas": .+not assignable/,
  },
  {
    plant: (all) => (find(all, 'NetworkPolicy dns').spec.policyType = ['Egress']),
    says: /^NetworkPolicy dns: "policyType": .+does not exist/,
  },
  {
    plant: (all) => (find(all, 'PodDisruptionBudget api').apiVersion = 'apps/v1'),
    says: /^PodDisruptionBudget api: .+IPodDisruptionBudget/,
  },
];

describe('a fault in the manifests is found', () => {
  it.each(FAULTS)('$fault', ({ plant, says }) => {
    const manifests = structuredClone(build('production'));
    plant(manifests);

    expect(problemsOf(clusterOf(manifests))).toContainEqual(expect.stringContaining(says));
  });

  it('an alert about a metric that is not there', () => {
    const manifests = structuredClone(build('production', ['monitoring']));
    find(manifests, 'PrometheusRule holdfast').spec.groups[0].rules[0].expr = 'messaging_outbox_size > 10';

    expect(problemsOf(clusterOf(manifests))).toEqual([
      'PrometheusRule holdfast: there is no metric messaging_outbox_size',
    ]);
  });

  it('typos, all at once', () => {
    const manifests = structuredClone(build('production'));
    for (const { plant } of TYPOS) plant(manifests);

    const problems = typeProblems(manifests, root);
    for (const { says } of TYPOS) expect(problems).toContainEqual(expect.stringMatching(says));
    expect(problems).toHaveLength(TYPOS.length);
  });
});
