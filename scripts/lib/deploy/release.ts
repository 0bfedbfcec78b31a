import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { DeployFailure } from './failure.ts';

const OVERLAYS = 'deploy/kubernetes/overlays';

/** A release of the product in one environment. */
export interface Release {
  /** Path of the overlay, from the root of the repository. */
  overlay: string;
  namespace: string;
  /** With its digest. */
  image: string;
  /** The Job that migrates for it. */
  job: string;
}

/**
 * The release that is to be deployed.
 * @throws DeployFailure when the overlay has no releases, or the image no digest
 */
export function releaseOf(root: string, environment: string, image: string, version: string): Release {
  const overlay = `${OVERLAYS}/${environment}`;
  if (!existsSync(join(root, overlay, 'release'))) {
    const known = globSync(`${OVERLAYS}/*/release`, { cwd: root }).map((path) => basename(dirname(path)));
    throw new DeployFailure(
      `There is no environment "${environment}". Take one of: ${known.toSorted().join(', ')}`,
    );
  }
  if (!/^[^\s@]+@sha256:[0-9a-f]{64}$/.test(image))
    throw new DeployFailure(
      `"${image}" has no digest. A tag can move: give registry/name@sha256:…, as docker push prints it.`,
    );
  const job = `migrate-${version
    .replace(/^v/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')}`;
  if (!/^migrate-[a-z0-9-]{0,54}[a-z0-9]$/.test(job))
    throw new DeployFailure(`"${version}" is no version: the Job of its migrations would be called ${job}.`);
  const { namespace } = parse(readFileSync(join(root, overlay, 'kustomization.yaml'), 'utf8')) as {
    namespace: string;
  };
  return { overlay, namespace, image, job };
}

/** Writes the release into its overlay. */
export function write(root: string, { overlay, image, job }: Release): void {
  const path = join(root, overlay, 'release/kustomization.yaml');
  const [name = '', digest = ''] = image.split('@');
  const text = readFileSync(path, 'utf8')
    .replace(/^( +newName: ).*$/m, `$1${name}`)
    .replace(/^( +digest: ).*$/m, `$1${digest}`)
    .replace(/^( +name: )migrate-.*$/m, `$1${job}`);
  writeFileSync(path, text);
}
