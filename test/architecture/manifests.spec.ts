import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { build as buildProduct } from '../../scripts/lib/build.js';
import { read, root } from './containers.js';
import { commandsOf } from './manifests/pod-rules.js';
import { edgesOf } from './manifests/network.js';
import { build, clusterOf, components, overlays } from './manifests/overlays.js';
import { problemsOf, rules } from './manifests/rules.js';
import { typeProblems } from './manifests/types.js';

// TypeScript and the build take their time on a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

beforeAll(() => buildProduct({ onlyIfStale: true }));

const isIn = (overlay: string, component: string): boolean =>
  read(`deploy/kubernetes/overlays/${overlay}/kustomization.yaml`).includes(`components/${component}\n`);

const combinations = overlays.flatMap((overlay) => {
  const added = components.filter((component) => !isIn(overlay, component));
  return [[], ...added.map((component) => [component])].map((more) => ({
    overlay,
    more,
    name: [overlay, ...more].join(' + '),
  }));
});

describe('the manifests for Kubernetes', () => {
  it.each(combinations)('of $name keep every rule', ({ overlay, more }) => {
    const cluster = clusterOf(build(overlay, more));

    // Only a try-out brings servers along, whose digests nobody could keep current.
    expect(
      problemsOf(
        cluster,
        Object.values(rules).filter((rule) => overlay !== 'dev' || rule !== rules.images),
      ),
    ).toEqual([]);
  });

  it('have the types of Kubernetes', () => {
    const all = combinations.flatMap(({ overlay, more }) => build(overlay, more));
    const different = new Map(all.map((manifest) => [JSON.stringify(manifest), manifest]));

    expect(typeProblems([...different.values()], root)).toEqual([]);
  });

  it('open an edge for each dependency of the degradation matrix, and for nothing else', () => {
    const matrix = [...read('docs/degradation.md').matchAll(/^\| \[[^\]]+\]\(#([a-z-]+)\)/gm)].map(
      ([, name = '']) => name,
    );
    const edges = new Set(
      combinations.flatMap(({ overlay, more }) => edgesOf(clusterOf(build(overlay, more)))),
    );

    expect([...edges].toSorted()).toEqual(matrix.filter((name) => name !== 'overload').toSorted());
  });

  it('run commands that the product has', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'dist/cli.js'), '--help']);
    const commands = overlays.flatMap((overlay) => clusterOf(build(overlay)).pods.flatMap(commandsOf));

    for (const [node, ...words] of commands) {
      const [script = '', command = ''] = words.filter((word) => !word.startsWith('--'));
      expect(node).toBe('node');
      expect(existsSync(join(root, script))).toBe(true);
      if (script === 'dist/cli.js') expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
    }
  });
});
