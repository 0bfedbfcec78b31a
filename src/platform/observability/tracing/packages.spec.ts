import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const lock = JSON.parse(readFileSync(new URL('../../../../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, { hasInstallScript?: boolean }>;
};
const copiesOf = (name: string): string[] =>
  Object.keys(lock.packages).filter((path) => path.endsWith(`node_modules/${name}`));

/** With two copies everything installs and starts, but half of the instrumentations patch nothing. */
it.each([
  'import-in-the-middle',
  'require-in-the-middle',
  '@opentelemetry/api',
  '@opentelemetry/core',
  '@opentelemetry/instrumentation',
])('there is one copy of %s', (name) => {
  expect(copiesOf(name)).toEqual([`node_modules/${name}`]);
});

it('no package of OpenTelemetry has an install script', () => {
  const scripted = Object.entries(lock.packages).filter(
    ([path, { hasInstallScript }]) => hasInstallScript && /@opentelemetry|in-the-middle/.test(path),
  );

  expect(scripted).toEqual([]);
});
