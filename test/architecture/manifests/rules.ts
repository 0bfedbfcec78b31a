import type { Cluster } from './cluster.js';
import { metrics } from './metric-rules.js';
import { closedEdges, namedEdges, openEdges } from './network.js';
import { grace, images, migrationsFirst, podSecurity, probing, resources, type Rule } from './pod-rules.js';
import { environment, secrets } from './settings-rules.js';
import { availability, names, ports, references, selectors, targetsOfScalers } from './wiring-rules.js';

/** What every overlay with every component keeps. */
export const rules: Record<string, Rule> = {
  'Pod Security': podSecurity,
  resources,
  probes: probing,
  'grace periods': grace,
  images,
  'migrations first': migrationsFirst,
  names,
  selectors,
  references,
  ports,
  availability,
  scalers: targetsOfScalers,
  environment,
  secrets,
  metrics,
  'open edges': openEdges,
  'closed edges': closedEdges,
  'named edges': namedEdges,
};

export const problemsOf = (cluster: Cluster, checked: Rule[] = Object.values(rules)): string[] => [
  ...new Set(checked.flatMap((rule) => rule(cluster))),
];
