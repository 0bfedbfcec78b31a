import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { build } from '../../scripts/lib/build.js';
import { loadSettings, PLACEHOLDER } from '../../src/config/index.js';
import { PRODUCT } from '../../src/product.js';
import { defaultOf, probes, read, root, settings, stages } from './containers.js';

interface Service {
  image?: string;
  build?: { context: string; target?: string };
  command?: string[];
  working_dir?: string;
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  volumes?: string[];
  ports?: string[];
  restart?: string;
  stop_grace_period?: string;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const products = services.filter(([, service]) => service.build?.target === 'runtime');

/** There is no container engine where this runs: what the file says is held against what it talks about. */
beforeAll(() => build({ onlyIfStale: true }));

describe('docker-compose.yml', () => {
  it('runs commands that the build produces', () => {
    const isFlag = (word: string) => word.startsWith('--');
    const scripts = products.map(([, { command = [] }]) => command.filter((word) => !isFlag(word)));

    expect(new Set(scripts.map(([, script]) => script))).toEqual(
      new Set(['dist/cli.js', 'dist/main.js', 'dist/worker.js']),
    );
    for (const [node, script = ''] of scripts) {
      expect(node).toBe('node');
      expect(existsSync(join(root, script))).toBe(true);
    }
  });

  it('calls commands that the CLI has', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'dist/cli.js'), '--help']);

    const commands = products.flatMap(([, { command = [] }]) =>
      command[1] === 'dist/cli.js' ? [command[2]] : [],
    );
    expect(commands.filter((command) => !new RegExp(`^ +${command}\\b`, 'm').test(stdout))).toEqual([]);
  });

  it('uses the Node image of the Dockerfile where only Node is needed', () => {
    const images = services.flatMap(([, { image = '' }]) => (image.startsWith('node:') ? [image] : []));

    expect(images).toEqual([stages[0]?.from]);
  });

  it('builds stages that exist', () => {
    const known = stages.map(({ name }) => name);
    const targets = services.flatMap(([, service]) => service.build?.target ?? []);
    expect(targets.filter((target) => !known.includes(target))).toEqual([]);
  });

  it('runs PostgreSQL 18 and a queue server that evicts nothing', () => {
    expect(compose.services.postgres?.image).toMatch(/^postgres:18\b/);
    expect(compose.services.postgres?.volumes).toContain('postgres-data:/var/lib/postgresql');
    expect(compose.services.redis?.command?.join(' ')).toContain('--maxmemory-policy noeviction');
  });

  it.each(services)(
    '%s waits for existing services, under conditions that they can meet',
    (_, { depends_on: dependencies = {} }) => {
      for (const [name, { condition }] of Object.entries(dependencies)) {
        const dependency = compose.services[name];
        expect(Object.keys(compose.services)).toContain(name);
        const reachable: Record<string, boolean> = {
          service_started: true,
          service_healthy: dependency?.healthcheck?.test !== undefined,
          service_completed_successfully: dependency?.restart === 'no',
        };
        expect(reachable[condition]).toBe(true);
      }
    },
  );

  it('starts the processes after the schema is migrated', () => {
    for (const name of ['api', 'worker']) {
      expect(compose.services[name]?.depends_on?.migrate).toEqual({
        condition: 'service_completed_successfully',
      });
    }
  });

  it.each(services)('%s mounts volumes that are declared', (_, { volumes = [] }) => {
    for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
  });

  it('publishes on this machine only', () => {
    for (const port of services.flatMap(([, { ports = [] }]) => ports))
      expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(compose.services.api?.ports).toEqual(
      ['PORT', 'MANAGEMENT_PORT'].map((name) => `127.0.0.1:${defaultOf(name)}:${defaultOf(name)}`),
    );
  });

  it('uses probes that exist, on the management port', () => {
    for (const name of ['api', 'worker']) {
      const url = new URL(
        /http:[^']+/.exec(compose.services[name]?.healthcheck?.test?.join(' ') ?? '')?.[0] ?? '',
      );
      expect(probes).toContain(url.pathname);
      expect(Number(url.port)).toBe(defaultOf('MANAGEMENT_PORT'));
    }
  });

  it('gives the processes more time to stop than they need', () => {
    for (const name of ['api', 'worker']) {
      const [, seconds] = /^(\d+)s$/.exec(compose.services[name]?.stop_grace_period ?? '') ?? [];
      expect(Number(seconds) * 1000).toBeGreaterThan(defaultOf('SHUTDOWN_TIMEOUT_MS'));
      expect(compose.services[name]?.restart).toBe('unless-stopped');
    }
  });
});

describe('the environment of the containers', () => {
  const known = new Map(
    settings.flatMap(
      (setting) =>
        [
          [setting.name, setting],
          ...(setting.secret ? [[`${setting.name}_FILE`, setting] as const] : []),
        ] as const,
    ),
  );
  let secrets: string;

  beforeAll(() => {
    secrets = mkdtempSync(join(tmpdir(), 'holdfast-compose-'));
  });
  afterAll(() => rmSync(secrets, { recursive: true }));

  it.each(products)('of %s has only known variables', (_, { environment = {} }) => {
    expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
  });

  it('names existing servers, on the ports they listen on', () => {
    const ports: Record<string, number> = { redis: 6379, sandbox: 4010, mailpit: 1025 };
    for (const [, { environment = {} }] of products) {
      for (const value of Object.values(environment).filter((text) => text.includes('://'))) {
        const { hostname, port } = new URL(value);
        expect([hostname, Number(port)]).toEqual([hostname, ports[hostname]]);
      }
    }
  });

  it('is complete with the secrets that the job generates, and valid for production', async () => {
    const { command = [], working_dir: directory = '' } = compose.services.secrets ?? {};
    const [shell = '', flags = '', script = ''] = command;
    const run = () => promisify(execFile)(shell, [flags, script.replaceAll('$$', '$')], { cwd: secrets });
    await run();
    const first = readFileSync(join(secrets, 'auth-token-secret'), 'utf8');
    await run();

    expect(readFileSync(join(secrets, 'auth-token-secret'), 'utf8')).toBe(first);
    for (const [, { environment = {} }] of products) {
      const files = Object.entries(environment).map(([name, value]) => [
        name,
        value.replace(directory, secrets),
      ]);
      const elsewhere: Record<string, string> = { NODE_ENV: 'production' };
      // only: pictures
      // Here files are kept on a volume, which production does not accept.
      Object.assign(elsewhere, { STORAGE_URL: 'https://s3.example/bucket', STORAGE_ACCESS_KEY_ID: 'a key' });
      // end
      const loaded = loadSettings({ ...Object.fromEntries(files), ...elsewhere }, PRODUCT);
      expect(loaded.auth.tokenSecret).toBe(first.trim());
      expect(new URL(loaded.database.url)).toMatchObject({
        hostname: 'postgres',
        port: '5432',
        username: 'holdfast',
        pathname: '/holdfast',
      });
      expect(new URL(loaded.database.url).password).toBe(
        readFileSync(join(secrets, 'database-password'), 'utf8').trim(),
      );
    }
  });

  it('contains no secret', () => {
    const text = read('docker-compose.yml');
    for (const { name } of settings.filter(({ secret }) => secret)) {
      expect(text).not.toMatch(new RegExp(`^ +${name}: (?!\\w+://[\\w.-]+:\\d+$).+`, 'm'));
    }
    expect(text).not.toContain(PLACEHOLDER);
  });
});
