import { execFileSync } from 'node:child_process';
import { repositoryRoot } from '../../../local/servers/paths.ts';
import { build } from '../build.ts';

/** The OpenAPI document of this checkout, whatever the environment says. Builds first when something has changed. */
export async function documentOfCheckout(): Promise<object> {
  await build({ onlyIfStale: true });
  const text = execFileSync(process.execPath, ['dist/cli.js', 'openapi'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    maxBuffer: 64e6,
    env: { PATH: process.env.PATH },
  });
  return JSON.parse(text) as object;
}
