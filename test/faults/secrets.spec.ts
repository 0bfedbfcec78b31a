import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startJsonServer, type JsonServer } from '../../local/json-server.ts';
import type { ApiProcess, AppProcess, Environment } from '../../local/processes.ts';
import { startRedis, type RedisServer } from '../../local/servers/redis.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openCounter, OWNER, type Counter } from './counter.ts';
import type { TestStack } from '../../local/stack.ts';

/** Secrets that stand nowhere but where this file has put them, by the place. */
const canaries = new Map<string, string>();
function canary(place: string): string {
  const secret = `canary${randomBytes(16).toString('hex')}`;
  canaries.set(place, secret);
  return secret;
}

describe('a secret from any source', () => {
  let counter: Counter;
  let stack: TestStack;
  let redis: RedisServer;
  let provider: JsonServer;
  let smtp: Server;
  let collector: JsonServer;
  let api: ApiProcess;
  let worker: AppProcess;
  /** All that has left the product, by the way it took. */
  const outputs = new Map<string, string[]>();
  const note = (output: string, text: string): unknown =>
    outputs.set(output, [...(outputs.get(output) ?? []), text]);

  beforeAll(async () => {
    counter = await openCounter({
      worker: false,
      env: { AUTH_TOKEN_SECRET: canary('AUTH_TOKEN_SECRET') },
    });
    stack = counter.stack;
    const key = canary('BANK_API_KEY');
    const mailPassword = canary('SMTP_URL');
    // Dependencies that send back what they were sent, as a careless error message does.
    provider = await startJsonServer({ port: 0, host: '127.0.0.1' }, ({ headers }) => ({
      status: 418,
      body: { error: `unexpected header ${headers.authorization}` },
    }));
    smtp = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('220 here\r\n');
      socket.on('data', (data) => {
        const line = data.toString();
        if (line.startsWith('EHLO')) socket.write('250-here\r\n250 AUTH PLAIN LOGIN\r\n');
        else socket.write(`535 5.7.8 wrong password ${mailPassword}\r\n`);
      });
    });
    await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
    // A password that Redis does not know any more.
    redis = await startRedis();
    const admin = new Redis(redis.url());
    await admin.config('SET', 'requirepass', 'another-password');
    admin.disconnect();
    collector = await startJsonServer({ port: 0, host: '127.0.0.1' }, ({ body }) => {
      note('traces', JSON.stringify(body));
      return { status: 200, body: {} };
    });
    const env: Environment = {
      LOG_LEVEL: 'trace',
      REDIS_URL: `redis://ledger:${canary('REDIS_URL')}@127.0.0.1:${redis.port}`,
      BANK_URL: provider.url,
      BANK_API_KEY: key,
      SMTP_URL: `smtp://ledger:${mailPassword}@127.0.0.1:${(smtp.address() as AddressInfo).port}`,
      FAULTS_ENABLED: 'true',
      FAULTS_TOKEN: canary('FAULTS_TOKEN'),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=${canary('OTEL_EXPORTER_OTLP_HEADERS')}`,
      TRACING_SAMPLE_RATIO: '1',
    };
    Object.assign(stack.env, env);
    const onLog = (_: unknown, line: string): unknown => note('logs', line);
    api = await stack.api({}, { onLog });
    // Its queues are in a Redis that lets it in, or no mail would ever be tried.
    worker = await stack.worker(
      { REDIS_URL: stack.redis.url(), JOB_ATTEMPTS: '1', JOB_BACKOFF_MS: '100' },
      { onLog },
    );
  });
  afterAll(async () => {
    await counter?.close();
    await Promise.all([redis?.stop(), provider?.stop(), collector?.stop()]);
    smtp?.close();
  });

  it('appears in no log, problem document, metric, trace or command output', async () => {
    const answer = async (sending: Promise<{ text: string; headers: Headers }>): Promise<void> => {
      const { text, headers } = await sending;
      note('answers', `${text}${JSON.stringify([...headers])}`);
    };
    // What callers send.
    for (const header of ['authorization', 'cookie', 'x-api-key', 'idempotency-key', 'x-forwarded-for']) {
      const asked = { headers: { [header]: canary(`header ${header}`) } };
      await answer(api.http.get('/v1/transfers', asked));
      await answer(api.http.post('/v1/transfers', { parts: 7 }, asked));
    }
    await answer(api.http.get(`/v1/transfers?token=${canary('query')}`));
    const password = { email: OWNER.email, password: canary('password of a login') };
    await answer(api.http.post('/v1/auth/login', password));
    await answer(api.http.post('/v1/auth/register', { email: 'x', password: canary('registration') }));
    await answer(api.http.post('/v1/auth/refresh', { refreshToken: canary('refresh token') }));
    await answer(api.http.post('/v1/auth/login', { ...password, extra: canary('unknown member') }));
    const json = { headers: { 'content-type': 'application/json' } };
    await answer(api.http.post('/v1/auth/login', `{"password": "${canary('malformed body')}`, json));

    const login = await api.http.post<{ accessToken: string; refreshToken: string }>('/v1/auth/login', {
      email: OWNER.email,
      password: OWNER.password,
    });
    canaries.set('issued access token', login.body.accessToken);
    canaries.set('issued refresh token', login.body.refreshToken);
    const http = api.http.as(login.body.accessToken);
    const transfer = await http.post('/v1/transfers', counter.nextTransfer(), {
      headers: { 'Idempotency-Key': canary('key of a transfer') },
    });
    expect(transfer.status).toBe(201);
    // What dependencies answer.
    const withdrawal = { amount: 1, method: 'pm_card_ok' };
    const draw = { headers: { 'Idempotency-Key': 'a-withdrawal' } };
    await answer(http.post(`/v1/accounts/${counter.accounts[0]}/withdrawals`, withdrawal, draw));
    await waitFor(
      async () => {
        const { stdout, stderr } = await stack.cli(['dead-letter', 'list']);
        note('commands', stdout + stderr);
        return stdout.includes('transfer.made');
      },
      { within: 90_000, what: 'a dead letter' },
    );
    await stack.postgres.kill();
    await answer(http.get('/v1/transfers'));
    await stack.postgres.restart();
    // What operators ask.
    for (const { management } of [api, worker]) {
      await answer(management.get('/health/ready'));
      await answer(management.put('/faults', { target: canary('target of a fault') }));
      note('metrics', (await management.get('/metrics')).text);
    }
    const wrong = new URL(stack.env.DATABASE_URL!);
    wrong.password = canary('DATABASE_URL');
    const settings = { DATABASE_URL: wrong.href, AUTH_TOKEN_SECRET: undefined, PORT: '-1' };
    for (const command of [['migrate'], ['dead-letter', 'list'], ['user:promote', 'a@example.com']]) {
      const { stdout, stderr } = await stack.cli(command, { DATABASE_URL: wrong.href });
      note('commands', stdout + stderr);
    }
    const check = await stack.cli(['config:check'], {
      ...settings,
      SMTP_URL: `ftp://${canary('a wrong URL')}`,
    });
    expect(check.code).toBe(1);
    note('commands', check.stdout + check.stderr);
    await api.stop('SIGTERM');
    await worker.stop('SIGTERM');

    expect([...outputs.keys()].toSorted()).toEqual(['answers', 'commands', 'logs', 'metrics', 'traces']);
    const found = [...canaries].flatMap(([place, secret]) =>
      [...outputs].flatMap(([output, texts]) =>
        texts
          .filter((text) => text.includes(secret))
          .map((text) => `${place} in ${output}: ${around(text, secret)}`),
      ),
    );
    expect(found).toEqual([]);
  });
});

function around(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return text.slice(Math.max(0, at - 200), at + 20);
}
