import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildManifests, manifestsIn, type Manifest } from './lib/manifests/kustomization.js';
import { outdated, renderedOverlays } from './lib/manifests/render.js';

const root = join(import.meta.dirname, '..');
const kubernetes = join(root, 'deploy/kubernetes');

/** From 5.0 on; those of some distributions are older and know no components. */
function hasKustomize(): boolean {
  try {
    const { kustomizeVersion = '' } = JSON.parse(
      execFileSync('kubectl', ['version', '--client', '--output=json'], { encoding: 'utf8', stdio: 'pipe' }),
    ) as { kustomizeVersion?: string };
    return /^v([5-9]|\d\d)\./.test(kustomizeVersion);
  } catch {
    return false;
  }
}

/** Without the line breaks that kustomize puts into long values of Secrets. */
const comparable = (manifests: Manifest[]): Record<string, unknown> =>
  Object.fromEntries(
    manifests.map((manifest) => [
      `${manifest.kind} ${manifest.metadata.name}`,
      manifest.kind === 'Secret'
        ? JSON.parse(JSON.stringify(manifest).replaceAll(String.raw`\n`, ''))
        : manifest,
    ]),
  );

const kubectl = (folder: string): Manifest[] =>
  manifestsIn(execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8', maxBuffer: 64e6 }), folder);

describe('the overlays', () => {
  it('are rendered as they are', () => {
    expect(outdated(root)).toEqual([]);
  });

  it('are rendered so that they read the same', () => {
    for (const { path, text } of renderedOverlays(root)) {
      const [, overlay = ''] = /([\w-]+)\.yaml$/.exec(path) ?? [];
      expect(manifestsIn(text, path)).toEqual(buildManifests(join(kubernetes, 'overlays', overlay)));
    }
  });

  it.runIf(hasKustomize()).each(readdirSync(join(kubernetes, 'overlays')))(
    'are built as kustomize builds them: %s',
    (overlay) => {
      const folder = join(kubernetes, 'overlays', overlay);

      expect(comparable(buildManifests(folder))).toEqual(comparable(kubectl(folder)));
    },
  );
});

/** A kustomization that uses everything that the builder knows. */
const TREE: Record<string, string> = {
  'base/kustomization.yaml': `resources: [all.yaml]
configMapGenerator: [{ name: settings, envs: [settings.env] }]
images: [{ name: app, newName: registry/app, digest: 'sha256:abc' }]
`,
  'base/settings.env': '# a comment\nA=1\nB=<&>\n',
  'base/all.yaml': `apiVersion: v1
kind: Namespace
metadata: { name: base }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  template:
    spec:
      containers:
        - name: api
          image: app
          args: [a, b]
          env: [{ name: X, value: '1' }, { name: W, value: '2' }]
          envFrom: [{ configMapRef: { name: settings } }]
---
apiVersion: batch/v1
kind: Job
metadata: { name: migrate }
spec: { template: { spec: { containers: [{ name: m, image: 'app:1' }] } } }
---
apiVersion: v1
kind: Service
metadata: { name: gone }
`,
  'component/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
configMapGenerator: [{ name: settings, behavior: merge, literals: [C=3] }]
patches:
  - target: { kind: Job, name: migrate }
    options: { allowNameChange: true }
    patch: '{ kind: Job, metadata: { name: migrate-1 } }'
  - path: patches.yaml
`,
  'component/patches.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  template:
    spec:
      containers: [{ name: api, args: [c], env: [{ name: Z, value: '3' }, { name: W, value: '4' }, { name: X, $patch: delete }] }]
---
apiVersion: v1
kind: Service
metadata: { name: gone }
$patch: delete
`,
  'overlay/kustomization.yaml': `namespace: production
resources: [../base]
components: [../component]
configMapGenerator: [{ name: settings, behavior: merge, literals: [D=4] }]
secretGenerator: [{ name: keys, literals: [K=v], options: { disableNameSuffixHash: true } }]
`,
};

describe('a kustomization', () => {
  let folder: string;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const overlay = () => buildManifests(join(folder, 'overlay'));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'manifests-'));
    for (const [path, text] of Object.entries(TREE)) write(path, text);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is built with generators, components, patches, images and a namespace', () => {
    const config = 'settings-94975t47f6';
    expect(comparable(overlay())).toEqual({
      'Namespace production': { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'production' } },
      'Deployment api': {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'api', namespace: 'production' },
        spec: {
          template: {
            spec: {
              containers: [
                {
                  name: 'api',
                  image: 'registry/app@sha256:abc',
                  args: ['c'],
                  env: [
                    { name: 'Z', value: '3' },
                    { name: 'W', value: '4' },
                  ],
                  envFrom: [{ configMapRef: { name: config } }],
                },
              ],
            },
          },
        },
      },
      'Job migrate-1': {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'migrate-1', namespace: 'production' },
        spec: { template: { spec: { containers: [{ name: 'm', image: 'registry/app@sha256:abc' }] } } },
      },
      [`ConfigMap ${config}`]: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: config, namespace: 'production' },
        data: { A: '1', B: '<&>', C: '3', D: '4' },
      },
      'Secret keys': {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'keys', namespace: 'production' },
        type: 'Opaque',
        data: { K: btoa('v') },
      },
    });
  });

  it.runIf(hasKustomize())('is built as kustomize builds it', () => {
    expect(comparable(overlay())).toEqual(comparable(kubectl(join(folder, 'overlay'))));
  });

  it.each([
    [
      'a field that is not known here',
      'overlay/kustomization.yaml',
      'nameSuffix: -1\n',
      /nameSuffix is not built here/,
    ],
    [
      'a file that is not there',
      'overlay/kustomization.yaml',
      'resources: [nothing.yaml]\n',
      /there is no nothing\.yaml/,
    ],
    [
      'a patch of what is not there',
      'component/patches.yaml',
      'kind: Service\nmetadata: { name: api }\n',
      /there is no Service api to be patched/,
    ],
    [
      'the same object twice',
      'overlay/kustomization.yaml',
      'resources: [../base, ../base]\n',
      /there are two of Namespace base/,
    ],
    [
      'settings that are merged into nothing',
      'base/kustomization.yaml',
      'resources: [all.yaml]\n',
      /the ConfigMap settings is not there to be merged/,
    ],
    ['a key that is there twice', 'base/all.yaml', 'kind: Job\nkind: Job\nmetadata: { name: a }\n', /unique/],
  ])('is refused for %s', (_, path, text, message) => {
    write(path, text);

    expect(overlay).toThrow(message);
  });
});
