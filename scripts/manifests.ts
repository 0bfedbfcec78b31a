/**
 * `npm run manifests`: renders the overlays of deploy/kubernetes; `-- --check` fails when what is rendered is not current.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ManifestFailure } from './lib/manifests/kustomization.ts';
import { outdated, renderedOverlays } from './lib/manifests/render.ts';
import { say, sayFailure } from './lib/terminal.ts';

const root = process.cwd();

try {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const paths = outdated(root);
  if (!values.check) {
    for (const { path, text } of renderedOverlays(root).filter((overlay) => paths.includes(overlay.path))) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
      say(`rendered ${path}`);
    }
  } else if (paths.length > 0) {
    sayFailure(`${paths.join(', ')}: not current; run npm run manifests.`);
    process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof ManifestFailure)) throw error;
  sayFailure(error.message);
  process.exitCode = 1;
}
