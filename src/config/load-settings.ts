import { readFileSync } from 'node:fs';
import { validateSync } from 'class-validator';
import { NO_PRODUCT, type Product } from './product.js';
import { productionProblems } from './production.js';
import { defaultOf, settingsOf, type SettingDefinition } from './setting.decorator.js';
import { Settings } from './settings.js';

/** Every problem of the environment at once, one readable line each; never holds the value of a secret. */
export class ConfigurationError extends Error {
  constructor(readonly problems: string[]) {
    super(
      `The configuration has ${problems.length} problem(s):\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.name = 'ConfigurationError';
  }
}

type Environment = Record<string, string | undefined>;

/**
 * Reads and validates the whole environment.
 * @param environment names to texts, as `process.env`; secrets may instead come as `<NAME>_FILE`.
 * @param product its features add their own settings, and its name is part of some defaults
 * @throws ConfigurationError listing every problem, before anything has connected.
 */
export function loadSettings(environment: Environment, product: Product = NO_PRODUCT): Settings {
  const settings = new Settings(product);
  const problems: string[] = [];
  const given = new Set<string>();
  for (const section of sectionsOf(settings)) {
    const definitions = settingsOf(section.constructor);
    const unparsable = new Set<string>();
    for (const definition of definitions) {
      try {
        const text = textOf(definition, environment);
        if (text !== undefined) given.add(definition.name);
        const value = text === undefined ? defaultOf(definition, product.name) : parse(definition, text);
        assign(section, definition, value);
      } catch (error) {
        unparsable.add(definition.property);
        problems.push(`${definition.name}: ${(error as Error).message}`);
      }
    }
    for (const failure of validateSync(section, { forbidUnknownValues: false, stopAtFirstError: true })) {
      const definition = definitions.find(({ property }) => property === failure.property);
      if (!definition || unparsable.has(failure.property)) continue;
      const message = Object.values(failure.constraints ?? {})[0] ?? 'is not valid';
      const reason = message
        .replace(new RegExp(`(each value in )?\\b${failure.property}\\b ?`, 'g'), '')
        .trim();
      problems.push(`${definition.name}: ${reason}${quoted(definition, section)}`);
    }
  }
  problems.push(...contradictions(settings));
  if (settings.app.isProduction) {
    problems.push(...productionProblems(sectionsOf(settings), given, settings.app.plaintextConnections));
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return settings;
}

function sectionsOf(settings: Settings): object[] {
  return Object.values(settings).filter(
    (value): value is object => typeof value === 'object' && value !== null,
  );
}

/**
 * Secrets are not enumerable: settings reach logs, error reports and `console.log` by mistake, and code that copies, inspects or
 * serialises an object sees enumerable members only.
 */
function assign(section: object, { property, secret }: SettingDefinition, value: unknown): void {
  Object.defineProperty(section, property, {
    value,
    enumerable: !secret,
    writable: true,
    configurable: true,
  });
}

function parse({ type }: SettingDefinition, text: string): unknown {
  switch (type) {
    case 'number': {
      if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error(`must be a number, not "${text}"`);
      return Number(text);
    }
    case 'boolean': {
      if (text !== 'true' && text !== 'false') throw new Error(`must be true or false, not "${text}"`);
      return text === 'true';
    }
    case 'list':
      return text
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '');
    case 'string':
      return text;
  }
}

function textOf({ name, secret }: SettingDefinition, environment: Environment): string | undefined {
  // An empty variable counts as absent: compose files and CI pass unset values on as "".
  const direct = environment[name] === '' ? undefined : environment[name];
  const file = secret ? environment[`${name}_FILE`] : undefined;
  if (!file) return direct;
  if (direct !== undefined) throw new Error(`is set, and so is ${name}_FILE; remove one of them`);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(
      `cannot be read from ${name}_FILE (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
      {
        cause: error,
      },
    );
  }
}

function quoted(definition: SettingDefinition, section: object): string {
  if (definition.secret) return '';
  const value = (section as Record<string, unknown>)[definition.property];
  return value === undefined ? '' : `, not "${String(value as string | number)}"`;
}

function contradictions(settings: Settings): string[] {
  const problems: string[] = [];
  const { app, lifecycle, rateLimit, http, faults, database, redis } = settings;
  if (lifecycle.drainDelayMs >= lifecycle.timeoutMs) {
    problems.push('SHUTDOWN_TIMEOUT_MS: must be longer than SHUTDOWN_DRAIN_DELAY_MS');
  }
  if (http.port !== 0 && http.port === http.managementPort) {
    problems.push('MANAGEMENT_PORT: must differ from PORT');
  }
  if (faults.enabled && faults.token === undefined) {
    problems.push('FAULTS_TOKEN: is required when FAULTS_ENABLED=true');
  }
  if ((database.tlsCert === undefined) !== (database.tlsKey === undefined)) {
    problems.push('DATABASE_TLS_CERT: is required together with DATABASE_TLS_KEY');
  }
  if ((database.tlsCa ?? database.tlsCert ?? database.tlsServerName) !== undefined) {
    const plain = [database.url, ...database.replicaUrls].some(
      (url) => !/[?&]sslmode=verify-full\b/.test(url),
    );
    if (plain) {
      problems.push(
        'DATABASE_URL, DATABASE_REPLICA_URLS: must have sslmode=verify-full when DATABASE_TLS_CA, DATABASE_TLS_CERT or DATABASE_TLS_SERVER_NAME is set',
      );
    }
  }
  if ((redis.tlsCert === undefined) !== (redis.tlsKey === undefined)) {
    problems.push('REDIS_TLS_CERT: is required together with REDIS_TLS_KEY');
  }
  if (
    !redis.url.startsWith('rediss:') &&
    (redis.tlsCa ?? redis.tlsCert ?? redis.tlsServerName) !== undefined
  ) {
    problems.push(
      'REDIS_URL: must begin with rediss:// when REDIS_TLS_CA, REDIS_TLS_CERT or REDIS_TLS_SERVER_NAME is set',
    );
  }
  if (!app.isProduction) return problems;
  if (faults.enabled) problems.push('FAULTS_ENABLED: cannot be true when NODE_ENV=production');
  if (!rateLimit.enabled) problems.push('RATE_LIMIT_ENABLED: cannot be false when NODE_ENV=production');
  return problems;
}
