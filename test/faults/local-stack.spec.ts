import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpClient } from '../../local/http.ts';
import { repositoryRoot } from '../../local/servers/paths.ts';
import { freePort, isPortFree } from '../../local/servers/ports.ts';
import { privateDirectory } from '../../local/servers/private-directory.ts';
import type { PrivateDirectory } from '../../local/servers/private-directory.ts';
import { waitFor } from '../../local/wait-for.ts';

const account = { email: 'customer@example.com', password: 'holdfast-demo-password' };
const portNames = [
  'PORT',
  'MANAGEMENT_PORT',
  'WORKER_MANAGEMENT_PORT',
  'LOCAL_POSTGRES_PORT',
  'LOCAL_REDIS_PORT',
  'LOCAL_SANDBOX_PORT',
  'LOCAL_SMTP_PORT',
  'LOCAL_SMTP_CONTROL_PORT',
] as const;

let folder: PrivateDirectory;
let ports: Record<(typeof portNames)[number], number>;
const stacks: Stack[] = [];

beforeAll(async () => {
  folder = await privateDirectory('stack');
  const found = await Promise.all(portNames.map(async (name) => [name, await freePort()] as const));
  ports = Object.fromEntries(found) as typeof ports;
});
afterEach(async () => {
  for (const stack of stacks.splice(0)) {
    stack.child.kill('SIGKILL');
    await stack.exit;
  }
  await waitFor(allPortsFree, { what: 'the end of every child' });
});
afterAll(() => folder.remove());

describe('npm start', () => {
  it('brings up a product to log in to, once, and ends with a reason when a part of it dies', async () => {
    const stack = start();
    await stack.says('Holdfast is up');
    const http = httpClient(`http://127.0.0.1:${ports.PORT}`);
    expect((await http.post('/v1/auth/login', account)).status).toBe(200);
    for (const port of [ports.MANAGEMENT_PORT, ports.WORKER_MANAGEMENT_PORT]) {
      expect((await httpClient(`http://127.0.0.1:${port}`).get('/health/ready')).status).toBe(200);
    }

    const second = start();
    expect(await second.exit).toBe(1);
    expect(second.failures()).toEqual([expect.stringMatching(/already runs \(process \d+\)/)]);
    expect((await http.get('/v1/products')).status).toBe(200);

    process.kill(workerProcess(), 'SIGKILL');
    expect(await stack.exit).toBe(1);
    expect(stack.failures()).toEqual([expect.stringMatching(/The worker ended unexpectedly \(.*SIGKILL/)]);
    expect(await allPortsFree()).toBe(true);
  });

  it('finds its data again, keeps each mail as a file, and takes everything down at SIGTERM', async () => {
    const stack = start();
    await stack.says('Holdfast is up');
    const http = httpClient(`http://127.0.0.1:${ports.PORT}`);
    const { body: products } = await http.get<{ data: { id: string }[] }>('/v1/products?limit=100');
    expect(products.data).toHaveLength(50);
    const login = await http.post<{ accessToken: string }>('/v1/auth/login', account);
    const order = await http
      .as(login.body.accessToken)
      .post('/v1/orders', { items: [{ productId: products.data[0]?.id, quantity: 1 }] }, idempotent());
    expect(order.status).toBe(201);
    const mails = await waitFor(() => mailFiles().length > 0 && mailFiles(), {
      what: 'mail',
    });
    expect(readFileSync(mails[0] ?? '', 'utf8')).toContain(account.email);

    stack.child.kill('SIGTERM');
    expect(await stack.exit).toBe(0);
    expect(await allPortsFree()).toBe(true);
  });

  it('leaves nothing behind when it is killed', async () => {
    const stack = start();
    await stack.says('Holdfast is up');
    stack.child.kill('SIGKILL');
    await stack.exit;
    await waitFor(allPortsFree, { what: 'the end of every child' });
  });

  it('says in one line which port is taken, and starts nothing', async () => {
    const other = createServer().listen(ports.MANAGEMENT_PORT, '127.0.0.1');
    await waitFor(() => other.listening);
    const stack = start();
    expect(await stack.exit).toBe(1);
    expect(stack.output()).not.toContain('PostgreSQL');
    other.close();
    expect(stack.failures()).toEqual([
      expect.stringMatching(`Port ${ports.MANAGEMENT_PORT} is already in use.*MANAGEMENT_PORT=`),
    ]);
  });

  it.each([
    [{ PORT: 'abc' }, /PORT is "abc", which is not a port/],
    [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
    [{ DATABASE_URL: 'postgresql://nobody:secret-word@127.0.0.1:1/none' }, /port 1/],
  ])('says what is wrong with %j', async (env, message) => {
    const stack = start(env);
    expect(await stack.exit).toBe(1);
    expect(stack.errors()).toMatch(message);
    expect(stack.output()).not.toContain('secret-word');
  });
});

interface Stack {
  child: ChildProcess;
  exit: Promise<number | null>;
  says(text: string): Promise<unknown>;
  output(): string;
  errors(): string;
  /** The lines that report a failure. */
  failures(): string[];
}

function start(env: Record<string, string> = {}): Stack {
  const child = spawn(process.execPath, ['scripts/start.ts'], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LOCAL_STACK_DIRECTORY: join(folder.path, 'local'),
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
      ...env,
    },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
    errors += String(chunk);
  });
  const exit = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  const stack: Stack = {
    child,
    exit,
    output: () => output,
    errors: () => errors,
    failures: () => errors.split('\n').filter((line) => line.startsWith('✗')),
    says: (text) =>
      waitFor(
        () => {
          if (child.exitCode !== null) throw new Error(`it ended: ${output.slice(-2000)}`);
          return output.includes(text);
        },
        { within: 90_000, what: `"${text}"` },
      ),
  };
  stacks.push(stack);
  return stack;
}

function idempotent(): { headers: Record<string, string> } {
  return { headers: { 'idempotency-key': crypto.randomUUID() } };
}

function mailFiles(): string[] {
  const mail = join(folder.path, 'local', 'mail');
  return readdirSync(mail)
    .filter((name) => name.endsWith('.eml'))
    .map((name) => join(mail, name));
}

function workerProcess(): number {
  const log = readFileSync(join(folder.path, 'local', 'logs', 'worker.log'), 'utf8');
  const line = log.split('\n').find((text) => text.includes('"pid"')) ?? '{}';
  return (JSON.parse(line) as { pid: number }).pid;
}

async function allPortsFree(): Promise<boolean> {
  const free = await Promise.all(Object.values(ports).map((port) => isPortFree(port)));
  return !free.includes(false);
}
