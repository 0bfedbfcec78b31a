import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../scripts/lib/build.js';
import { defaultOf, probes, read, root, stages } from './containers.js';
import { copied, inheritedBy, reachesBuild } from './dockerfile.js';
import { RUNTIME_ENV } from '../../local/processes.js';
import { Project } from './project.js';

/** There is no container engine where this runs: what the file says is held against what it talks about. */
beforeAll(() => build({ onlyIfStale: true }));

describe('Dockerfile', () => {
  const copies = stages.flatMap((stage) =>
    stage.instructions
      .filter(({ keyword }) => keyword === 'COPY')
      .map((copy) => ({ stage: stage.name, ...copied(copy) })),
  );
  const runtime = inheritedBy(stages, 'runtime');
  const last = (keyword: string) =>
    runtime.findLast((instruction) => instruction.keyword === keyword)?.text ?? '';

  it('builds the product when no target is named', () => {
    expect(stages.at(-1)?.name).toBe('runtime');
  });

  it('runs the Node version that the repository pins', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    const version = read('.node-version').trim();
    const images = stages.map(({ from }) => from).filter((from) => from.includes(':'));

    expect(devDependencies.node).toBe(version);
    expect(images).toEqual([
      expect.stringMatching(new RegExp(`^node:${version}-bookworm-slim@sha256:[0-9a-f]{64}$`)),
    ]);
  });

  it.each(
    copies
      .filter(({ from }) => !from)
      .flatMap(({ stage, sources }) => sources.map((source) => ({ stage, source }))),
  )('copies $source, which exists and reaches the build ($stage)', ({ source }) => {
    expect(reachesBuild(root, source)).toBe(true);
  });

  it.each(copies.filter(({ from }) => from))(
    'copies $sources, which the stage $from makes',
    ({ from, sources }) => {
      const commands = inheritedBy(stages, from ?? '').map(({ text }) => text);
      const makers: Record<string, RegExp> = {
        dist: /^npm run build$/,
        node_modules: /npm ci --omit=dev && rm -r node_modules\/typescript$/,
        'root-fs': /cp --parents -L "\$file" \/root-fs/,
      };

      for (const source of sources) {
        expect(source === '/root-fs' || existsSync(join(root, basename(source)))).toBe(true);
        expect(commands.some((command) => makers[basename(source)]?.test(command))).toBe(true);
      }
    },
  );

  it.each([
    { stage: 'build', script: 'scripts/build.ts' },
    // only: payments
    { stage: 'sandbox', script: 'local/payment-sandbox.ts' },
    // end
  ])(
    'copies every file that $script imports into the stage $stage, and needs no package for it',
    ({ stage, script }) => {
      const given = copies.filter((copy) => copy.stage === stage).flatMap(({ sources }) => sources);
      const project = new Project(root, ['scripts', 'local']);
      const reached = new Set([script]);
      const needed = new Set<string>();
      for (const path of reached) {
        for (const { target, specifier } of project.file(path)?.imports ?? []) {
          if (target) reached.add(target);
          else if (!specifier.startsWith('node:')) needed.add(specifier);
        }
      }

      expect(
        [...reached].filter(
          (path) => !given.some((source) => path === source || path.startsWith(`${source}/`)),
        ),
      ).toEqual([]);
      expect([...needed]).toEqual([]);
    },
  );

  it('excludes the local servers from the image', () => {
    const shipped = copies.filter(({ stage }) => stage === 'runtime').flatMap(({ sources }) => sources);

    expect(shipped.length).toBeGreaterThan(0);
    expect(shipped.filter((path) => /^(\/app\/)?(local|test|scripts)\b/.test(path))).toEqual([]);
  });

  it('names only existing files', () => {
    const named = read('Dockerfile').match(/\b(?:local|test|src|scripts|docs)\/[\w./-]+\.\w+/g) ?? [];
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('excludes secrets, local data and the repository from the build', () => {
    for (const path of [
      '.env',
      '.env.example',
      '.git',
      '.local',
      'node_modules',
      'dist',
      'test',
      'README.md',
    ]) {
      expect([path, reachesBuild(root, path)]).toEqual([path, false]);
    }
  });

  it('passes signals to Node directly, in production mode, without root', () => {
    expect(JSON.parse(last('CMD'))).toEqual(['node', 'dist/main.js']);
    expect(runtime.filter(({ keyword }) => keyword === 'ENTRYPOINT')).toEqual([]);
    expect(last('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(runtime).toContainEqual({ keyword: 'ENV', text: 'NODE_ENV=production' });
  });

  it('ships neither a shell nor npm: its files begin with nothing', () => {
    expect(stages.find(({ name }) => name === 'runtime')?.from).toBe('scratch');
    expect(runtime.filter(({ keyword }) => keyword === 'RUN')).toEqual([]);
  });

  it('does not ship typescript, which only a plugin of the compiler would load', () => {
    const [, reached = ''] = /rm -r (node_modules\/\w+)/.exec(read('Dockerfile')) ?? [];
    const shipped = join(root, 'node_modules/@nestjs/swagger/package.json');
    const { peerDependenciesMeta } = JSON.parse(readFileSync(shipped, 'utf8')) as {
      peerDependenciesMeta: Record<string, { optional?: boolean }>;
    };
    expect(reached).toBe('node_modules/typescript');
    expect(peerDependenciesMeta.typescript?.optional).toBe(true);
  });

  it('runs Node with the memory settings that tests and measurements use', () => {
    for (const [name, value] of Object.entries(RUNTIME_ENV))
      expect(runtime).toContainEqual({ keyword: 'ENV', text: `${name}=${value}` });
  });

  it('exposes the ports of the settings and uses a probe that exists', () => {
    expect(last('EXPOSE')).toBe(`${defaultOf('PORT')} ${defaultOf('MANAGEMENT_PORT')}`);
    const check = last('HEALTHCHECK');
    expect(probes).toContain(/}(\/[\w/]+)`/.exec(check)?.[1]);
    expect(check).toContain(`process.env.MANAGEMENT_PORT || ${defaultOf('MANAGEMENT_PORT')}`);
    expect(check).toContain('/health/live');
  });
});
