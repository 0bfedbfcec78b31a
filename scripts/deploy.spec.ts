import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const IMAGE = `registry.example.com/holdfast@sha256:${'a'.repeat(64)}`;
const SERVES = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };

/** What the API server says; each list is gone through, and its last one stays. */
interface Cluster {
  job?: object[];
  deployment?: object[];
  image?: string;
  rollout?: object[];
  /** The status of an answer without a token. */
  api?: number;
  undo?: string;
}

/*
 * Stands in for kubectl and the cluster behind it: here are neither. It answers from a file, and writes down what it was asked. What a
 * rollout does on a cluster is tried by verify:cluster; this is about what is decided upon its answers.
 */
const KUBECTL = `#!${process.execPath}
import { appendFileSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
const here = import.meta.dirname;
const args = process.argv.slice(2);
const cluster = JSON.parse(readFileSync(here + '/cluster.json', 'utf8'));
appendFileSync(here + '/asked', args.join(' ') + '\\n');
const at = here + '/seen.json';
const seen = existsSync(at) ? JSON.parse(readFileSync(at, 'utf8')) : {};
const next = (name, list) => {
  const index = seen[name] ?? 0;
  writeFileSync(at, JSON.stringify({ ...seen, [name]: index + 1 }));
  return list[Math.min(index, list.length - 1)];
};
const fail = (text) => { process.stderr.write(text); process.exit(1); };
const [, , verb, kind, name] = args;
if (args[0] === 'apply') console.log('applied');
else if (verb === 'get' && kind === 'job') console.log(JSON.stringify({ status: next('job', cluster.job) }));
else if (verb === 'get' && kind === 'deployment') {
  const spec = { template: { spec: { containers: [{ image: cluster.image }] } } };
  console.log(JSON.stringify({ metadata: { generation: 2 }, spec, status: next(name, cluster.deployment) }));
} else if (verb === 'get') {
  if (!cluster.rollout) fail("error: the server doesn't have a resource type \\"rollouts\\"");
  if (name === 'api') console.log(JSON.stringify({ status: next('rollout', cluster.rollout) }));
} else if (verb === 'logs') console.log('relation "orders" does not exist');
else if (verb === 'rollout') cluster.undo ? fail(cluster.undo) : console.log('rolled back');
else if (verb === 'port-forward') {
  const type = cluster.api === 401 ? 'application/problem+json' : 'text/html';
  const server = createServer((request, response) => response.writeHead(cluster.api, { 'content-type': type }).end('{}'));
  server.listen(0, '127.0.0.1', () => console.log('Forwarding from 127.0.0.1:' + server.address().port + ' -> 3000'));
} else fail('unknown: ' + args.join(' '));
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-deploy-'));
  for (const path of ['deploy', 'scripts', 'package.json'])
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'bin/kubectl'), KUBECTL);
  chmodSync(join(folder, 'bin/kubectl'), 0o755);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function deploy(args: string[], cluster: Cluster = {}) {
  const complete = [{ conditions: [{ type: 'Complete', status: 'True' }] }];
  const usual = { job: complete, deployment: [SERVES], image: IMAGE, api: 401 };
  writeFileSync(join(folder, 'bin/cluster.json'), JSON.stringify({ ...usual, ...cluster }));
  return new Promise<{ code: number; said: string; asked: string[] }>((resolve) => {
    const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, NO_COLOR: '1' };
    execFile(process.execPath, ['scripts/deploy.ts', ...args], { cwd: folder, env }, (error, out, err) => {
      let asked: string[] = [];
      try {
        asked = readFileSync(join(folder, 'bin/asked'), 'utf8').trim().split('\n');
      } catch {
        // It asked nothing.
      }
      resolve({ code: error ? Number(error.code) : 0, said: out + err, asked });
    });
  });
}

const undone = (asked: string[]) => asked.filter((line) => line.includes('rollout undo'));
const overlay = (path: string) => readFileSync(join(folder, 'deploy/kubernetes', path), 'utf8');

describe('npm run deploy', () => {
  it('writes the release, applies it, and waits until it has migrated and serves', async () => {
    const { code, said, asked } = await deploy(['staging', '--image', IMAGE, '--version', 'v1.2.0-rc.1'], {
      job: [{}, { conditions: [{ type: 'Complete', status: 'True' }] }],
    });
    expect(said).toContain(`${IMAGE} serves in holdfast-staging`);
    expect(code).toBe(0);
    expect(asked[0]).toBe('apply -k deploy/kubernetes/overlays/staging');
    expect(asked).toContain('-n holdfast-staging get job migrate-1-2-0-rc-1 --ignore-not-found -o json');
    expect(undone(asked)).toEqual([]);
    expect(overlay('overlays/staging/release/kustomization.yaml')).toContain(
      `digest: sha256:${'a'.repeat(64)}`,
    );
    expect(overlay('rendered/staging.yaml')).toContain(`image: ${IMAGE}`);
    expect(overlay('rendered/staging.yaml')).toContain('name: migrate-1-2-0-rc-1');
  });

  it('waits for a canary, and not for the Deployment that it replaces', async () => {
    const { code } = await deploy(['production', '--image', IMAGE], {
      deployment: [{ ...SERVES, availableReplicas: 3 }],
      rollout: [
        { phase: 'Healthy', workloadObservedGeneration: '1' },
        { phase: 'Progressing', workloadObservedGeneration: '2' },
        { phase: 'Healthy', workloadObservedGeneration: '2' },
      ],
    });
    expect(code).toBe(0);
  });

  const late = { type: 'Progressing', status: 'False', message: 'has timed out progressing' };
  const failures: [string, Cluster, string][] = [
    [
      'migrations that fail',
      { job: [{ conditions: [{ type: 'Failed', status: 'True', message: 'backoff limit' }] }] },
      'relation "orders" does not exist',
    ],
    [
      'pods that do not get ready',
      { deployment: [{ ...SERVES, conditions: [late] }] },
      'has timed out progressing',
    ],
    [
      'a canary that misses the objective',
      {
        rollout: [
          { phase: 'Degraded', message: 'metric "answered-without-5xx"', workloadObservedGeneration: '2' },
        ],
      },
      'answered-without-5xx',
    ],
    ['an api that does not answer as the product does', { api: 200 }, "not the api's 401"],
  ];

  it.each(failures)('undoes the rollout after %s', async (_name, cluster, reason) => {
    const { code, said, asked } = await deploy(['staging', '--image', IMAGE], cluster);
    expect(said).toContain(reason);
    expect(undone(asked)).toEqual([
      '-n holdfast-staging rollout undo deployment/api',
      '-n holdfast-staging rollout undo deployment/worker',
    ]);
    expect(code).toBe(1);
  });

  it('leaves a release alone that was applied meanwhile', async () => {
    const { code, said, asked } = await deploy(['staging', '--image', IMAGE], {
      image: 'registry.example.com/other',
    });
    expect(said).toContain('has another image');
    expect([code, undone(asked)]).toEqual([1, []]);
  });

  it('gives up after its time, and says what took it', async () => {
    const { code, said } = await deploy(['staging', '--image', IMAGE, '--timeout', '0.001'], { job: [{}] });
    expect(said).toMatch(/The Job migrate-.* took too long; --timeout gives it more minutes/);
    expect(code).toBe(1);
  });

  it('reports why the first release cannot be undone', async () => {
    const { said } = await deploy(['staging', '--image', IMAGE], {
      api: 500,
      undo: 'no rollout history found',
    });
    expect(said).toContain(
      'Undoing api: kubectl -n holdfast-staging rollout undo deployment/api: no rollout history',
    );
  });

  it.each([
    ['an unknown environment', ['elsewhere', '--image', IMAGE], 'Take one of: production, staging'],
    ['a tag, which can move', ['staging', '--image', 'registry.example.com/holdfast:1.2.0'], 'has no digest'],
    ['a version without letters', ['staging', '--image', IMAGE, '--version', '/'], 'is no version'],
    ['no image', ['staging'], 'Which environment, and which image?'],
    ['no number of minutes', ['staging', '--image', IMAGE, '--timeout', 'soon'], 'is no number of minutes'],
  ])('changes nothing when it is given %s', async (_name, args, reason) => {
    const before = overlay('overlays/staging/release/kustomization.yaml');
    const { code, said, asked } = await deploy(args);
    expect(said).toContain(reason);
    expect([code, asked]).toEqual([1, []]);
    expect(overlay('overlays/staging/release/kustomization.yaml')).toBe(before);
  });
});
