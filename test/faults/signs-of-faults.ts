import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import pg from 'pg';
import { httpClient } from '../../local/http.ts';
import type { CliResult } from '../../local/processes.ts';
import { answersQueries } from '../../local/servers/postgres.ts';
import { answersPing, sendRedisCommand } from '../../local/servers/redis.ts';
import { waitFor } from '../../local/wait-for.ts';
import { execute } from '../nemesis/faults/postgres-admin.ts';
import type { ProcessName, Rig } from '../nemesis/rig.ts';

/** Becomes true once the fault has begun, and is not true without it. */
export type Seen = () => boolean | Promise<boolean>;

export function portOf(rig: Rig, edge: string): number {
  return rig.edges.get(edge)!.port;
}

export async function isSilent(rig: Rig, server: string): Promise<boolean> {
  if (server === 'postgres') return !(await answersQueries(rig.postgres.primary.url()));
  if (server === 'redis') return !(await answersPing(rig.redis.primary.port));
  const url = server === 'provider' ? `${rig.provider.url}/control` : rig.smtp.controlUrl;
  return !(await control(url).catch(() => undefined));
}

/** Whether a process of the product does not answer. */
export async function hangs(rig: Rig, name: ProcessName): Promise<boolean> {
  const { management } = rig.processes.get(name)!;
  return !(await management.get('/health/live', { timeoutMs: 500 }).catch(() => undefined));
}

export async function control<T>(url: string): Promise<T> {
  return (await httpClient(url).get<T>('', { timeoutMs: 1000 })).body;
}

export function redis(rig: Rig, command: string): Promise<string> {
  return sendRedisCommand(rig.redis.primary.port, command, 2000);
}

export function pings(rig: Rig, edge: string): Promise<boolean> {
  return answersPing(portOf(rig, edge));
}

export async function pingTime(rig: Rig, edge: string): Promise<number> {
  const startedAt = performance.now();
  await pings(rig, edge);
  return performance.now() - startedAt;
}

/** Whether a connection that was open before has been closed. */
export async function closes(port: number): Promise<Seen> {
  const socket = connect(port, '127.0.0.1');
  let closed = false;
  socket.on('error', () => undefined).once('close', () => (closed = true));
  await new Promise((resolve) => socket.once('connect', resolve));
  // Answered once: it leads through to the server, and not only to a proxy.
  socket.write('PING\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  return () => closed;
}

export async function vanishes(rig: Rig, key: string): Promise<Seen> {
  await redis(rig, `SET ${key} 1`);
  return async () => (await redis(rig, `EXISTS ${key}`)).startsWith(':0');
}

export async function finds(rig: Rig, fromWhere: string): Promise<boolean> {
  return (await execute(rig, `SELECT 1 ${fromWhere} LIMIT 1`)).length > 0;
}

/** A session of the application's role; it ends with the server. */
export async function sessionOf(rig: Rig): Promise<pg.Client> {
  const client = new pg.Client(rig.postgres.primary.url());
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export function ended(work: Promise<unknown>, code: string): Seen {
  let found: string | undefined;
  work.catch((error: { code?: string }) => (found = error.code));
  return () => found === code;
}

/** The results of the commands that have ended since. */
export function commandsOf(rig: Rig): CliResult[] {
  const ended: CliResult[] = [];
  const cli = rig.cli.bind(rig);
  rig.cli = async (...command) => {
    const result = await cli(...command);
    ended.push(result);
    return result;
  };
  return ended;
}

export function isReplaced(rig: Rig, name: ProcessName): () => boolean {
  const process = rig.processes.get(name)!;
  const { pid } = process;
  return () => process.isRunning && process.pid !== pid;
}

/** Lets the provider announce a charge. @returns how often that has been received */
export async function webhookSent({ provider, env }: Rig): Promise<() => number> {
  let received = 0;
  const receiver = createServer((_, response) => {
    received += 1;
    response.writeHead(204).end();
  });
  receiver.unref();
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  await provider.sendWebhooksTo(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}`);
  const body = { amount: 1, currency: 'EUR', paymentMethod: 'pm_card_ok', reference: 'a test' };
  const headers = {
    'idempotency-key': randomUUID(),
    authorization: `Bearer ${env.PAYMENT_PROVIDER_API_KEY}`,
  };
  await httpClient(provider.url).post('/v1/charges', body, { headers });
  await waitFor(() => received === 1, { what: 'the webhook' });
  return () => received;
}
