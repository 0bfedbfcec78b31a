import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError, loadSettings, PLACEHOLDER } from './index.js';

/** What a production environment must bring at least. */
const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://shop:f8Kd02-database@db.internal:5432/shop?sslmode=verify-full',
  REDIS_URL: 'rediss://redis.internal:6379',
  SMTP_URL: 'smtps://mail.internal',
  PAYMENT_PROVIDER_URL: 'https://provider.example',
  AUTH_TOKEN_SECRET: 'f8Kd02-a-token-secret-of-some-length',
  PAYMENT_PROVIDER_API_KEY: 'f8Kd02-payment-key',
  PAYMENT_WEBHOOK_SECRET: 'f8Kd02-webhook-secret',
};

function problemsOf(environment: Record<string, string | undefined>): string[] {
  try {
    loadSettings(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe('loading the settings', () => {
  it('needs nothing to be set outside production', () => {
    const settings = loadSettings({});

    expect(settings.app.environment).toBe('development');
    expect(settings.http.port).toBe(3000);
    expect(settings.tracing.trustIncoming).toBe(false);
    expect(settings.database.url).toMatch(/^postgresql:\/\/.+@127\.0\.0\.1:5432\/holdfast$/);
  });

  it('parses numbers, switches and lists', () => {
    const settings = loadSettings({
      PORT: '8080',
      RATE_LIMIT_ENABLED: 'false',
      DOCS_ENABLED: 'true',
      TRUST_PROXY: '10.0.0.0/8, 192.168.1.7 ,fd00::/8',
      CORS_ORIGINS: 'https://shop.example,http://localhost:5173',
      DATABASE_REPLICA_URLS: 'postgresql://r1/shop,postgresql://r2/shop',
    });

    expect(settings.http.port).toBe(8080);
    expect(settings.rateLimit.enabled).toBe(false);
    expect(settings.http.docsEnabled).toBe(true);
    expect(settings.http.trustProxy).toEqual(['10.0.0.0/8', '192.168.1.7', 'fd00::/8']);
    expect(settings.http.corsOrigins).toEqual(['https://shop.example', 'http://localhost:5173']);
    expect(settings.database.replicaUrls).toEqual(['postgresql://r1/shop', 'postgresql://r2/shop']);
  });

  it('takes an empty variable for an absent one', () => {
    expect(loadSettings({ PORT: '', CORS_ORIGINS: '' }).http).toMatchObject({ port: 3000, corsOrigins: [] });
  });

  it('lists every problem at once, each with the name of its variable', () => {
    const problems = problemsOf({
      NODE_ENV: 'staging',
      PORT: 'http',
      MANAGEMENT_PORT: '70000',
      DATABASE_URL: 'mysql://127.0.0.1/holdfast',
      DATABASE_POOL_SIZE: '2.5',
      DATABASE_REPLICA_URLS: 'postgresql://replica/holdfast,replica2',
      RATE_LIMIT_ENABLED: 'yes',
      TRUST_PROXY: '10.0.0.0/33',
      CORS_ORIGINS: 'shop.example',
      MAIL_FROM: 'shop',
      SHUTDOWN_TIMEOUT_MS: '5000',
    });

    expect(problems.toSorted()).toEqual([
      'CORS_ORIGINS: must list origins, for example https://shop.example, not "shop.example"',
      'DATABASE_POOL_SIZE: must be an integer number, not "2.5"',
      'DATABASE_REPLICA_URLS: must be a URL with postgres:// or postgresql:// and a host',
      'DATABASE_URL: must be a URL with postgres:// or postgresql:// and a host',
      'MAIL_FROM: must be an email, not "shop"',
      'MANAGEMENT_PORT: must not be greater than 65535, not "70000"',
      'NODE_ENV: must be one of the following values: development, test, production, not "staging"',
      'PORT: must be a number, not "http"',
      'RATE_LIMIT_ENABLED: must be true or false, not "yes"',
      'SHUTDOWN_TIMEOUT_MS: must be longer than SHUTDOWN_DRAIN_DELAY_MS',
      'TRUST_PROXY: must list IP addresses or CIDR ranges, for example 10.0.0.0/8, not "10.0.0.0/33"',
    ]);
  });

  it('says in its message how many problems there are, and all of them', () => {
    expect(() => loadSettings({ PORT: 'x', LOG_LEVEL: 'loud' })).toThrow(
      /^The configuration has 2 problem\(s\):\n {2}- LOG_LEVEL: must be one of .+\n {2}- PORT: must be a number, not "x"$/,
    );
  });

  it.each(['0x10', '1e3', ' 80', '80 ', '١٢', 'NaN', 'Infinity', '99999999999999999999', '-1'])(
    'refuses %j as a port',
    (text) => {
      expect(problemsOf({ PORT: text })).toEqual([expect.stringMatching(/^PORT: must /)]);
    },
  );

  it('refuses one port for two listeners, except when the system picks both', () => {
    expect(problemsOf({ PORT: '4000', MANAGEMENT_PORT: '4000' })).toEqual([
      'MANAGEMENT_PORT: must differ from PORT',
    ]);
    expect(problemsOf({ PORT: '0', MANAGEMENT_PORT: '0' })).toEqual([]);
  });

  it('refuses TLS for Redis that would not be used, or only half', () => {
    const file = import.meta.filename;
    expect(problemsOf({ REDIS_TLS_CA: file })).toEqual([
      'REDIS_URL: must begin with rediss:// when REDIS_TLS_CA, REDIS_TLS_CERT or REDIS_TLS_SERVER_NAME is set',
    ]);
    const REDIS_URL = 'rediss://redis.internal';
    expect(problemsOf({ REDIS_URL, REDIS_TLS_KEY: file })).toEqual([
      'REDIS_TLS_CERT: is needed together with REDIS_TLS_KEY',
    ]);
    expect(problemsOf({ REDIS_URL, REDIS_TLS_CA: '/not/there.pem' })).toEqual([
      'REDIS_TLS_CA: must be a file that this process can read, not "/not/there.pem"',
    ]);
    expect(problemsOf({ REDIS_URL, REDIS_TLS_CA: file })).toEqual([]);
  });

  it.each(['redis-1', 'redis-1:0', 'redis-1:70000', 'redis://redis-1:26379', 'a b:1'])(
    'refuses %j as a Sentinel',
    (address) => {
      expect(problemsOf({ REDIS_SENTINELS: `redis-1:26379,[::1]:26379,${address}` })).toEqual([
        expect.stringMatching(/^REDIS_SENTINELS: must be a host and a port, for example redis-1:26379/),
      ]);
    },
  );
});

describe('a signing secret', () => {
  it.each([
    ['any string of 16 characters', 'sixteen-letters!', []],
    ['whsec_ and base64', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', []],
    ['a short string', 'too-short', ['PAYMENT_WEBHOOK_SECRET']],
    ['whsec_ and no base64', 'whsec_not*base64*not*base64*', ['PAYMENT_WEBHOOK_SECRET']],
    ['whsec_ and few bytes', 'whsec_c2hvcnQ=', ['PAYMENT_WEBHOOK_SECRET']],
  ])('may be %s or not', (_, secret, wrong) => {
    const problems = problemsOf({ PAYMENT_WEBHOOK_SECRET: secret });
    expect(problems.map((problem) => problem.split(':', 1)[0])).toEqual(wrong);
  });
});

describe('production', () => {
  it('starts with secrets of its own', () => {
    expect(loadSettings(PRODUCTION).app.isProduction).toBe(true);
  });

  it('refuses every placeholder that is left, whether set or by default', () => {
    expect(
      problemsOf({
        ...PRODUCTION,
        DATABASE_URL: undefined,
        AUTH_TOKEN_SECRET: '',
        PAYMENT_WEBHOOK_SECRET: 'holdfast-development-x',
      }),
    ).toEqual([
      'DATABASE_URL: still holds the development placeholder; set a secret of your own for production',
      'AUTH_TOKEN_SECRET: still holds the development placeholder; set a secret of your own for production',
      'PAYMENT_WEBHOOK_SECRET: still holds the development placeholder; set a secret of your own for production',
    ]);
  });

  it('knows placeholders by one word, which stands in one file', () => {
    const files = globSync('src/config/**/*.ts', { exclude: ['**/*.spec.ts'] });
    expect(files.length).toBeGreaterThan(10);
    const named = files.filter((file) => readFileSync(file, 'utf8').includes(PLACEHOLDER));
    expect(named).toEqual(['src/config/placeholder.ts']);
  });

  it('refuses to start with the servers of a developer', () => {
    const unset = { REDIS_URL: undefined, SMTP_URL: '', PAYMENT_PROVIDER_URL: undefined };
    expect(problemsOf({ ...PRODUCTION, ...unset })).toEqual(
      ['REDIS_URL', 'PAYMENT_PROVIDER_URL', 'SMTP_URL'].map(
        (name) => `${name}: must be set when NODE_ENV=production; the default is for development`,
      ),
    );
  });

  it.each([
    ['DATABASE_URL', 'postgresql://shop:f8Kd02@db.internal/shop'],
    ['DATABASE_URL', 'postgresql://shop:f8Kd02@db.internal/shop?sslmode=disable'],
    ['DATABASE_URL', 'postgresql://shop:f8Kd02@db.internal/shop?sslmode=no-verify'],
    ['DATABASE_REPLICA_URLS', 'postgresql://r1/shop?sslmode=verify-full,postgresql://r2/shop'],
    ['REDIS_URL', 'redis://redis.internal:6379'],
    ['SMTP_URL', 'smtp://mail.internal:587'],
    ['PAYMENT_PROVIDER_URL', 'http://provider.example'],
  ])('refuses %s without TLS, as in %s, unless that is allowed by name', (name, url) => {
    const environment = { ...PRODUCTION, [name]: url };
    const [problem, ...others] = problemsOf(environment);
    expect(problem).toMatch(new RegExp(`^${name}: must be encrypted when NODE_ENV=production: `));
    expect(problem).not.toContain('f8Kd02');
    expect(others).toEqual([]);
    expect(problemsOf({ ...environment, PLAINTEXT_CONNECTIONS: `${name},SMTP_URL` })).toEqual([]);
    expect(problemsOf({ ...environment, PLAINTEXT_CONNECTIONS: 'AUTH_TOKEN_SECRET' })).toHaveLength(2);
  });

  it.each([
    ['DATABASE_URL', 'postgresql://shop:f8Kd02@db.internal/shop?sslmode=require'],
    ['SMTP_URL', 'smtp://mail.internal:587?requireTLS=true'],
  ])('takes %s with TLS asked for in the protocol, as in %s', (name, url) => {
    expect(problemsOf({ ...PRODUCTION, [name]: url })).toEqual([]);
  });

  it('refuses to run without rate limits', () => {
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
    directory = mkdtempSync(join(tmpdir(), 'holdfast-settings-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('are read without the newline at their end', () => {
    const settings = loadSettings({
      ...PRODUCTION,
      AUTH_TOKEN_SECRET: undefined,
      AUTH_TOKEN_SECRET_FILE: file('token', 'a-token-secret-out-of-a-mounted-file\n'),
      DATABASE_URL: '',
      DATABASE_URL_FILE: file('database', 'postgresql://file/shop\n'),
      DATABASE_REPLICA_URLS_FILE: file('replicas', 'postgresql://r1/shop,postgresql://r2/shop\n'),
      PLAINTEXT_CONNECTIONS: 'DATABASE_URL,DATABASE_REPLICA_URLS',
    });

    expect(settings.auth.tokenSecret).toBe('a-token-secret-out-of-a-mounted-file');
    expect(settings.database.url).toBe('postgresql://file/shop');
    expect(settings.database.replicaUrls).toEqual(['postgresql://r1/shop', 'postgresql://r2/shop']);
  });

  it('are held to the same rules', () => {
    expect(problemsOf({ AUTH_TOKEN_SECRET_FILE: file('short', 'too short') })).toEqual([
      'AUTH_TOKEN_SECRET: must be longer than or equal to 32 characters',
    ]);
    expect(problemsOf({ AUTH_TOKEN_SECRET_FILE: file('empty', '\n') })).toHaveLength(1);
  });

  it('name the file variable when the file cannot be read', () => {
    expect(problemsOf({ AUTH_TOKEN_SECRET_FILE: join(directory, 'absent') })).toEqual([
      'AUTH_TOKEN_SECRET: cannot be read from AUTH_TOKEN_SECRET_FILE (ENOENT)',
    ]);
  });

  it('must not compete with the variable itself', () => {
    const path = file('second', 'a-token-secret-out-of-a-mounted-file');

    expect(problemsOf({ AUTH_TOKEN_SECRET: 'x'.repeat(40), AUTH_TOKEN_SECRET_FILE: path })).toEqual([
      'AUTH_TOKEN_SECRET: is set, and so is AUTH_TOKEN_SECRET_FILE: keep one',
    ]);
  });

  it('exist for secrets only', () => {
    expect(loadSettings({ PORT_FILE: file('port', '4000') }).http.port).toBe(3000);
  });
});

describe('secrets', () => {
  const SECRETS = {
    DATABASE_URL: 'postgresql://shop:hush-hush@db/shop',
    DATABASE_REPLICA_URLS: 'postgresql://shop:hush-hush@replica/shop',
    REDIS_URL: 'redis://:hush-hush@cache:6379',
    AUTH_TOKEN_SECRET: 'hush-hush-hush-hush-hush-hush-hush-hush',
    PAYMENT_PROVIDER_API_KEY: 'hush-hush-hush-hush',
    PAYMENT_WEBHOOK_SECRET: 'hush-hush-hush-hush',
    SMTP_URL: 'smtp://shop:hush-hush@mail:25',
  };

  it('are readable where they are asked for by name', () => {
    const settings = loadSettings(SECRETS);

    expect(settings.auth.tokenSecret).toBe(SECRETS.AUTH_TOKEN_SECRET);
    expect(settings.mail.url).toBe(SECRETS.SMTP_URL);
  });

  it('are left out when settings are printed, serialised or copied', () => {
    const settings = loadSettings(SECRETS);

    for (const printed of [
      inspect(settings, { depth: 9 }),
      JSON.stringify(settings),
      inspect(Object.assign({}, settings.database)),
      JSON.stringify(structuredClone(settings.payments)),
    ]) {
      expect(printed).not.toContain('hush');
    }
    expect(JSON.parse(JSON.stringify(settings))).toMatchObject({
      database: { poolSize: 10 },
      mail: { from: expect.any(String) },
    });
  });

  it('are not repeated in complaints about them', () => {
    const wrong = Object.fromEntries(Object.keys(SECRETS).map((name) => [name, 'hush-hush']));
    let complaint: unknown;
    try {
      loadSettings(wrong);
    } catch (error) {
      complaint = error;
    }

    expect(complaint).toBeInstanceOf(ConfigurationError);
    expect((complaint as ConfigurationError).problems).toHaveLength(Object.keys(SECRETS).length);
    expect(inspect(complaint, { depth: 9, showHidden: true })).not.toContain('hush');
  });
});
