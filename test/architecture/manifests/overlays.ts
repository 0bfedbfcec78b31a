import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildManifests, type Manifest } from '../../../scripts/lib/manifests/kustomization.js';
import { PRODUCT } from '../../../src/product.js';
import { root } from '../containers.js';
import { Cluster } from './cluster.js';

export const kubernetes = join(root, 'deploy/kubernetes');

export const overlays = readdirSync(join(kubernetes, 'overlays')).toSorted();
export const components = readdirSync(join(kubernetes, 'components')).toSorted();

export const build = (overlay: string, added: string[] = []): Manifest[] =>
  buildManifests(
    join(kubernetes, 'overlays', overlay),
    added.map((component) => join(kubernetes, 'components', component)),
  );

export const clusterOf = (manifests: Manifest[]): Cluster => new Cluster(manifests, PRODUCT.name);
