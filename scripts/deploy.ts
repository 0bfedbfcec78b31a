/**
 * `npm run deploy -- staging --image registry/name@sha256:…`: deploys a release to the cluster of KUBECONFIG, and takes it back when it
 * does not work (docs/operations/deploy.md).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deploy } from './lib/deploy/deploy.ts';
import { DeployFailure } from './lib/deploy/failure.ts';
import { releaseOf, write } from './lib/deploy/release.ts';
import { outdated, renderedOverlays } from './lib/manifests/render.ts';
import { say, sayFailure } from './lib/terminal.ts';

const USAGE = `npm run deploy -- ENVIRONMENT --image NAME@DIGEST [options]

Writes the release into the overlay of the environment, applies it to the cluster of KUBECONFIG, waits for its migrations and its pods,
and asks the api one question. When something fails it undoes the rollout; the schema stays as it is.

  ENVIRONMENT        an overlay of deploy/kubernetes with a release: staging, production
  --image NAME@sha256:…
  --version V        names the Job of the migrations; default: that of package.json
  --timeout MINUTES  for migrations and rollouts together (default 30)
  --dry-run          write the release, and show what would change
  --help             show this text
`;

try {
  await main();
} catch (error) {
  if (!(error instanceof DeployFailure)) throw error;
  sayFailure(error.message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const root = process.cwd();
  const { values, positionals } = flags();
  if (values.help) return void process.stdout.write(USAGE);
  const [environment] = positionals;
  if (environment === undefined || values.image === undefined)
    throw new DeployFailure(`Which environment, and which image?\n\n${USAGE}`);
  const minutes = Number(values.timeout);
  if (!(minutes > 0)) throw new DeployFailure(`--timeout ${values.timeout} is no number of minutes.`);
  const release = releaseOf(root, environment, values.image, values.version ?? versionOf(root));
  write(root, release);
  const late = outdated(root);
  for (const { path, text } of renderedOverlays(root))
    if (late.includes(path)) writeFileSync(join(root, path), text);
  if (values['dry-run']) {
    say(`Written. See what would change: kubectl diff -k ${release.overlay}`);
    return;
  }
  await deploy(release, { withinMs: minutes * 60_000 });
  say(`${release.image} serves in ${release.namespace}. Commit what has changed in deploy/kubernetes.`);
}

function versionOf(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

function flags() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        image: text,
        version: text,
        timeout: { type: 'string', default: '30' },
        'dry-run': flag,
        help: { ...flag, short: 'h' },
      },
    });
  } catch (error) {
    throw new DeployFailure(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}
