import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { buildManifests, type Manifest } from './kustomization.ts';

const OVERLAYS = 'deploy/kubernetes/overlays';
const RENDERED = 'deploy/kubernetes/rendered';

const HEAD = '# Rendered by `npm run manifests`: do not edit.\n';

/** Path and text of every overlay as Kubernetes gets it: what a change of the base does to production is seen in its diff. */
export function renderedOverlays(root: string): { path: string; text: string }[] {
  return readdirSync(join(root, OVERLAYS))
    .toSorted()
    .map((overlay) => ({
      path: `${RENDERED}/${overlay}.yaml`,
      text:
        HEAD +
        buildManifests(join(root, OVERLAYS, overlay))
          .map(asDocument)
          .join('---\n'),
    }));
}

/** The paths of those whose file is another one. */
export const outdated = (root: string): string[] =>
  renderedOverlays(root)
    .filter(({ path, text }) => read(join(root, path)) !== text)
    .map(({ path }) => path);

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Words such as `on` and `0440` are other values in YAML 1.1, which Kubernetes reads: they are quoted. */
const asDocument = (manifest: Manifest): string =>
  stringify(manifest, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
