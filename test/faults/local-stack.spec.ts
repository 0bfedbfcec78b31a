import { createServer } from 'node:net';
// only: notifications
import { createTransport } from 'nodemailer';
// end
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpClient } from '../../local/http.ts';
import { waitFor } from '../../local/wait-for.ts';
import { openLocalStack, type LocalStack } from './npm-start.ts';

let stack: LocalStack;

beforeAll(async () => {
  stack = await openLocalStack();
});
afterEach(() => stack.stop());
afterAll(() => stack?.close());

describe('npm start', { timeout: 300_000 }, () => {
  it('starts the product, once, and exits with a reason when a part of it dies', async () => {
    const run = stack.start();
    await run.up();
    await stack.logIn();
    for (const port of [stack.ports.MANAGEMENT_PORT, stack.ports.WORKER_MANAGEMENT_PORT]) {
      expect((await httpClient(`http://127.0.0.1:${port}`).get('/health/ready')).status).toBe(200);
    }

    const second = stack.start();
    expect(await second.exit).toBe(1);
    expect(second.failures()).toEqual([expect.stringMatching(/is already running \(process \d+\)/)]);
    await stack.logIn();

    process.kill(stack.workerProcess(), 'SIGKILL');
    expect(await run.exit).toBe(1);
    expect(run.failures()).toEqual([expect.stringMatching(/The worker ended unexpectedly \(.*SIGKILL/)]);
    expect(await stack.allPortsFree()).toBe(true);
  });

  it('keeps its data, and stops everything at SIGTERM', async () => {
    const run = stack.start();
    await run.up();
    const customer = await stack.logIn();
    expect((await customer.patch('/v1/users/me', { name: 'Carla' })).status).toBe(200);
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
    expect(await stack.allPortsFree()).toBe(true);

    await stack.start().up();
    expect((await (await stack.logIn()).get('/v1/users/me')).body).toMatchObject({ name: 'Carla' });
  });

  // only: notifications
  it('stores each mail as a file', async () => {
    await stack.start().up();
    const transport = createTransport(`smtp://127.0.0.1:${stack.ports.LOCAL_SMTP_PORT}`);
    await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'Kept' });
    await stack.mail('Subject: Kept');
  });
  // end

  it('leaves nothing behind when it is killed', async () => {
    const run = stack.start();
    await run.up();
    run.child.kill('SIGKILL');
    await run.exit;
    await waitFor(stack.allPortsFree, { within: 60_000, what: 'the end of every child' });
  });

  it('reports in one line which port is in use, and starts nothing', async () => {
    const other = createServer().listen(stack.ports.MANAGEMENT_PORT, '127.0.0.1');
    await waitFor(() => other.listening);
    const run = stack.start();
    expect(await run.exit).toBe(1);
    expect(run.output()).not.toContain('PostgreSQL');
    other.close();
    expect(run.failures()).toEqual([
      expect.stringMatching(`Port ${stack.ports.MANAGEMENT_PORT} is already in use.*MANAGEMENT_PORT=`),
    ]);
  });

  it.each([
    [{ PORT: 'abc' }, /PORT is "abc", which is not a port/],
    [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
    [{ DATABASE_URL: 'postgresql://nobody:secret-word@127.0.0.1:1/none' }, /port 1/],
  ])('reports what is wrong with %j', async (env, message) => {
    const run = stack.start(env);
    expect(await run.exit).toBe(1);
    expect(run.errors()).toMatch(message);
    expect(run.output()).not.toContain('secret-word');
  });
});
