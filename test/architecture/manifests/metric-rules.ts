import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../containers.js';
import { idOf } from './cluster.js';
import type { Rule } from './pod-rules.js';

const METRIC = /\b(?:http|messaging|dependency|redis|cache|database|payment)_[a-z_]+\b/g;

/** Everything that the code of the product quotes, metrics among it. */
const quoted = new Set(
  globSync('src/**/*.ts', { cwd: root }).flatMap((path) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/'([a-z_]+)'/g)].map(([, text]) => text),
  ),
);

/** Alerts and analyses ask for metrics that the product has. */
export const metrics: Rule = ({ manifests }) =>
  manifests
    .filter(({ kind }) => kind === 'PrometheusRule' || kind === 'AnalysisTemplate')
    .flatMap((manifest) =>
      [...JSON.stringify(manifest).matchAll(METRIC)]
        .map(([name]) => name)
        .filter((name) => !quoted.has(name) && !quoted.has(name.replace(/_(count|sum|bucket)$/, '')))
        .map((name) => `${idOf(manifest)}: there is no metric ${name}`),
    );
