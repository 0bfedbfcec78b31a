import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { IsEmail, MinLength } from 'class-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  byProtocol,
  ConfigurationError,
  IsConnectionUrl,
  IsSigningSecret,
  loadSettings,
  NO_PRODUCT,
  PLACEHOLDER,
  Setting,
  type Product,
} from './index.js';

declare module './settings.js' {
  interface FeatureSettings {
    partner: PartnerSettings;
  }
}

/** The settings of a feature. */
class PartnerSettings {
  @Setting('PARTNER_URL', {
    default: 'http://127.0.0.1:4010',
    required: true,
    encrypted: byProtocol('https:'),
    describe: 'Base address.',
  })
  @IsConnectionUrl(['http:', 'https:'])
  url!: string;

  @Setting('PARTNER_KEY', { default: `${PLACEHOLDER}partner-key`, secret: true, describe: 'Bearer key.' })
  @MinLength(32)
  key!: string;

  @Setting('PARTNER_SIGNING_SECRET', {
    default: `${PLACEHOLDER}signing-secret`,
    secret: true,
    describe: 'Key of an HMAC.',
  })
  @IsSigningSecret(16)
  signingSecret!: string;

  @Setting('PARTNER_CONTACT', { default: (product) => `contact@${product}.example`, describe: 'An address.' })
  @IsEmail()
  contact!: string;
}

const product: Product = { ...NO_PRODUCT, name: 'acme', settings: { partner: PartnerSettings } };
const load = (environment: Record<string, string | undefined>) => loadSettings(environment, product);

/** The minimum of a production environment. */
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://acme:f8Kd02-database@db.internal:5432/acme?sslmode=verify-full',
  REDIS_URL: 'rediss://redis.internal:6379',
  PARTNER_URL: 'https://partner.example',
  PARTNER_KEY: 'f8Kd02-a-partner-key-of-some-length',
  PARTNER_SIGNING_SECRET: 'f8Kd02-signing-secret',
};

function problemsOf(environment: Record<string, string | undefined>): string[] {
  try {
    load(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe('loading the settings', () => {
  it('requires no variables outside production', () => {
    const settings = load({});

    expect(settings.app.environment).toBe('development');
    expect(settings.http.port).toBe(3000);
    expect(settings.tracing.trustIncoming).toBe(false);
    expect(settings.database.url).toMatch(/^postgresql:\/\/.+@127\.0\.0\.1:5432\/acme$/);
    expect(settings.redis.prefix).toBe('{acme}');
    expect(settings.partner.contact).toBe('contact@acme.example');
  });

  it('parses numbers, switches and lists', () => {
    const settings = load({
      PORT: '8080',
      RATE_LIMIT_ENABLED: 'false',
      DOCS_ENABLED: 'true',
      TRUST_PROXY: '10.0.0.0/8, 192.168.1.7 ,fd00::/8',
      CORS_ORIGINS: 'https://app.example,http://localhost:5173',
      DATABASE_REPLICA_URLS: 'postgresql://r1/acme,postgresql://r2/acme',
    });

    expect(settings.http.port).toBe(8080);
    expect(settings.rateLimit.enabled).toBe(false);
    expect(settings.http.docsEnabled).toBe(true);
    expect(settings.http.trustProxy).toEqual(['10.0.0.0/8', '192.168.1.7', 'fd00::/8']);
    expect(settings.http.corsOrigins).toEqual(['https://app.example', 'http://localhost:5173']);
    expect(settings.database.replicaUrls).toEqual(['postgresql://r1/acme', 'postgresql://r2/acme']);
  });

  it('treats an empty variable as absent', () => {
    expect(load({ PORT: '', CORS_ORIGINS: '' }).http).toMatchObject({ port: 3000, corsOrigins: [] });
  });

  it('lists every problem at once, each with the name of its variable', () => {
    const problems = problemsOf({
      NODE_ENV: 'staging',
      PORT: 'http',
      MANAGEMENT_PORT: '70000',
      DATABASE_URL: 'mysql://127.0.0.1/acme',
      DATABASE_POOL_SIZE: '2.5',
      DATABASE_REPLICA_URLS: 'postgresql://replica/acme,replica2',
      RATE_LIMIT_ENABLED: 'yes',
      TRUST_PROXY: '10.0.0.0/33',
      CORS_ORIGINS: 'app.example',
      PARTNER_CONTACT: 'acme',
      SHUTDOWN_TIMEOUT_MS: '5000',
    });

    expect(problems.toSorted()).toEqual([
      'CORS_ORIGINS: must list origins, for example https://app.example, not "app.example"',
      'DATABASE_POOL_SIZE: must be an integer number, not "2.5"',
      'DATABASE_REPLICA_URLS: must be a URL with postgres:// or postgresql:// and a host',
      'DATABASE_URL: must be a URL with postgres:// or postgresql:// and a host',
      'MANAGEMENT_PORT: must not be greater than 65535, not "70000"',
      'NODE_ENV: must be one of the following values: development, test, production, not "staging"',
      'PARTNER_CONTACT: must be an email, not "acme"',
      'PORT: must be a number, not "http"',
      'RATE_LIMIT_ENABLED: must be true or false, not "yes"',
      'SHUTDOWN_TIMEOUT_MS: must be longer than SHUTDOWN_DRAIN_DELAY_MS',
      'TRUST_PROXY: must list IP addresses or CIDR ranges, for example 10.0.0.0/8, not "10.0.0.0/33"',
    ]);
  });

  it('reports the number of problems, and all of them', () => {
    expect(() => load({ PORT: 'x', LOG_LEVEL: 'loud' })).toThrow(
      /^The configuration has 2 problem\(s\):\n {2}- LOG_LEVEL: must be one of .+\n {2}- PORT: must be a number, not "x"$/,
    );
  });

  it.each(['0x10', '1e3', ' 80', '80 ', '١٢', 'NaN', 'Infinity', '99999999999999999999', '-1'])(
    'rejects %j as a port',
    (text) => {
      expect(problemsOf({ PORT: text })).toEqual([expect.stringMatching(/^PORT: must /)]);
    },
  );

  it('rejects one port for two listeners, except port 0', () => {
    expect(problemsOf({ PORT: '4000', MANAGEMENT_PORT: '4000' })).toEqual([
      'MANAGEMENT_PORT: must differ from PORT',
    ]);
    expect(problemsOf({ PORT: '0', MANAGEMENT_PORT: '0' })).toEqual([]);
  });

  it('rejects TLS settings of Redis that are unused or incomplete', () => {
    const file = import.meta.filename;
    expect(problemsOf({ REDIS_TLS_CA: file })).toEqual([
      'REDIS_URL: must begin with rediss:// when REDIS_TLS_CA, REDIS_TLS_CERT or REDIS_TLS_SERVER_NAME is set',
    ]);
    const REDIS_URL = 'rediss://redis.internal';
    expect(problemsOf({ REDIS_URL, REDIS_TLS_KEY: file })).toEqual([
      'REDIS_TLS_CERT: is required together with REDIS_TLS_KEY',
    ]);
    expect(problemsOf({ REDIS_URL, REDIS_TLS_CA: '/not/there.pem' })).toEqual([
      'REDIS_TLS_CA: must be a file that this process can read, not "/not/there.pem"',
    ]);
    expect(problemsOf({ REDIS_URL, REDIS_TLS_CA: file })).toEqual([]);
  });

  it.each(['redis-1', 'redis-1:0', 'redis-1:70000', 'redis://redis-1:26379', 'a b:1'])(
    'rejects %j as a Sentinel',
    (address) => {
      expect(problemsOf({ REDIS_SENTINELS: `redis-1:26379,[::1]:26379,${address}` })).toEqual([
        expect.stringMatching(/^REDIS_SENTINELS: must be a host and a port, for example redis-1:26379/),
      ]);
    },
  );
});

describe('a signing secret', () => {
  it.each([
    ['16 characters', 'sixteen-letters!', []],
    ['whsec_ and base64', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', []],
    ['too few characters', 'too-short', ['PARTNER_SIGNING_SECRET']],
    ['whsec_ and other characters than base64', 'whsec_not*base64*not*base64*', ['PARTNER_SIGNING_SECRET']],
    ['whsec_ and too few bytes', 'whsec_c2hvcnQ=', ['PARTNER_SIGNING_SECRET']],
  ])('is checked: %s', (_, secret, wrong) => {
    const problems = problemsOf({ PARTNER_SIGNING_SECRET: secret });
    expect(problems.map((problem) => problem.split(':', 1)[0])).toEqual(wrong);
  });
});

describe('production', () => {
  it('starts with its own secrets', () => {
    expect(load(PRODUCTION).app.isProduction).toBe(true);
  });

  it('rejects every placeholder, set or by default', () => {
    expect(
      problemsOf({
        ...PRODUCTION,
        DATABASE_URL: undefined,
        PARTNER_KEY: '',
        PARTNER_SIGNING_SECRET: `${PLACEHOLDER}x`,
      }),
    ).toEqual([
      'DATABASE_URL: still contains the development placeholder; set your own secret for production',
      'PARTNER_KEY: still contains the development placeholder; set your own secret for production',
      'PARTNER_SIGNING_SECRET: still contains the development placeholder; set your own secret for production',
    ]);
  });

  it('recognises placeholders by one word, which is in one file', () => {
    const files = globSync('src/{config,modules}/**/*.ts', { exclude: ['**/*.spec.ts'] });
    expect(files.length).toBeGreaterThan(10);
    const named = files.filter((file) => readFileSync(file, 'utf8').includes(PLACEHOLDER));
    expect(named).toEqual(['src/config/placeholder.ts']);
  });

  it('rejects default servers', () => {
    const unset = { REDIS_URL: undefined, PARTNER_URL: '' };
    expect(problemsOf({ ...PRODUCTION, ...unset })).toEqual(
      ['REDIS_URL', 'PARTNER_URL'].map(
        (name) => `${name}: must be set when NODE_ENV=production; the default is for development`,
      ),
    );
  });

  it.each([
    ['DATABASE_URL', 'postgresql://acme:f8Kd02@db.internal/acme'],
    ['DATABASE_URL', 'postgresql://acme:f8Kd02@db.internal/acme?sslmode=disable'],
    ['DATABASE_URL', 'postgresql://acme:f8Kd02@db.internal/acme?sslmode=no-verify'],
    ['DATABASE_REPLICA_URLS', 'postgresql://r1/acme?sslmode=verify-full,postgresql://r2/acme'],
    ['REDIS_URL', 'redis://redis.internal:6379'],
    ['PARTNER_URL', 'http://partner.example'],
  ])('rejects %s without TLS, as in %s, unless listed as an exception', (name, url) => {
    const environment = { ...PRODUCTION, [name]: url };
    const [problem, ...others] = problemsOf(environment);
    expect(problem).toMatch(new RegExp(`^${name}: must be encrypted when NODE_ENV=production: `));
    expect(problem).not.toContain('f8Kd02');
    expect(others).toEqual([]);
    expect(problemsOf({ ...environment, PLAINTEXT_CONNECTIONS: `${name},REDIS_URL` })).toEqual([]);
    expect(problemsOf({ ...environment, PLAINTEXT_CONNECTIONS: 'PARTNER_KEY' })).toHaveLength(2);
  });

  it.each([
    ['DATABASE_URL', 'postgresql://acme:f8Kd02@db.internal/acme?sslmode=require'],
    ['REDIS_URL', 'rediss://redis.internal'],
  ])('accepts %s with TLS in its protocol, as in %s', (name, url) => {
    expect(problemsOf({ ...PRODUCTION, [name]: url })).toEqual([]);
  });

  it('rejects disabled rate limits', () => {
    expect(problemsOf({ ...PRODUCTION, RATE_LIMIT_ENABLED: 'false' })).toEqual([
      'RATE_LIMIT_ENABLED: cannot be false when NODE_ENV=production',
    ]);
  });
});

describe('secrets from files', () => {
  let directory: string;
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'settings-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('are read without the newline at their end', () => {
    const settings = load({
      ...PRODUCTION,
      PARTNER_KEY: undefined,
      PARTNER_KEY_FILE: file('token', 'a-partner-key-out-of-a-mounted-file\n'),
      DATABASE_URL: '',
      DATABASE_URL_FILE: file('database', 'postgresql://file/acme\n'),
      DATABASE_REPLICA_URLS_FILE: file('replicas', 'postgresql://r1/acme,postgresql://r2/acme\n'),
      PLAINTEXT_CONNECTIONS: 'DATABASE_URL,DATABASE_REPLICA_URLS',
    });

    expect(settings.partner.key).toBe('a-partner-key-out-of-a-mounted-file');
    expect(settings.database.url).toBe('postgresql://file/acme');
    expect(settings.database.replicaUrls).toEqual(['postgresql://r1/acme', 'postgresql://r2/acme']);
  });

  it('are validated by the same rules', () => {
    expect(problemsOf({ PARTNER_KEY_FILE: file('short', 'too short') })).toEqual([
      'PARTNER_KEY: must be longer than or equal to 32 characters',
    ]);
    expect(problemsOf({ PARTNER_KEY_FILE: file('empty', '\n') })).toHaveLength(1);
  });

  it('name the file variable when the file cannot be read', () => {
    expect(problemsOf({ PARTNER_KEY_FILE: join(directory, 'absent') })).toEqual([
      'PARTNER_KEY: cannot be read from PARTNER_KEY_FILE (ENOENT)',
    ]);
  });

  it('conflict with the variable itself', () => {
    const path = file('second', 'a-partner-key-out-of-a-mounted-file');

    expect(problemsOf({ PARTNER_KEY: 'x'.repeat(40), PARTNER_KEY_FILE: path })).toEqual([
      'PARTNER_KEY: is set, and so is PARTNER_KEY_FILE; remove one of them',
    ]);
  });

  it('are supported for secrets only', () => {
    expect(load({ PORT_FILE: file('port', '4000') }).http.port).toBe(3000);
  });
});

describe('secrets', () => {
  const SECRETS = {
    DATABASE_URL: 'postgresql://acme:hush-hush@db/acme',
    DATABASE_REPLICA_URLS: 'postgresql://acme:hush-hush@replica/acme',
    REDIS_URL: 'redis://:hush-hush@cache:6379',
    PARTNER_KEY: 'hush-hush-hush-hush-hush-hush-hush-hush',
    PARTNER_SIGNING_SECRET: 'hush-hush-hush-hush',
  };

  it('are readable by name', () => {
    const settings = load(SECRETS);

    expect(settings.partner.key).toBe(SECRETS.PARTNER_KEY);
    expect(settings.redis.url).toBe(SECRETS.REDIS_URL);
  });

  it('are left out when settings are printed, serialised or copied', () => {
    const settings = load(SECRETS);

    for (const printed of [
      inspect(settings, { depth: 9 }),
      JSON.stringify(settings),
      inspect(Object.assign({}, settings.database)),
      JSON.stringify(structuredClone(settings.partner)),
    ]) {
      expect(printed).not.toContain('hush');
    }
    expect(JSON.parse(JSON.stringify(settings))).toMatchObject({
      database: { poolSize: 10 },
      partner: { contact: 'contact@acme.example' },
    });
  });

  it('are not repeated in error messages', () => {
    const wrong = Object.fromEntries(Object.keys(SECRETS).map((name) => [name, 'hush-hush']));
    let complaint: unknown;
    try {
      load(wrong);
    } catch (error) {
      complaint = error;
    }

    expect(complaint).toBeInstanceOf(ConfigurationError);
    expect((complaint as ConfigurationError).problems).toHaveLength(Object.keys(SECRETS).length);
    expect(inspect(complaint, { depth: 9, showHidden: true })).not.toContain('hush');
  });
});
