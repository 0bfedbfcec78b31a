import type { Environment } from '../../../local/processes.ts';
import { privateDirectory } from '../../../local/servers/private-directory.ts';
import { startTestStack } from '../../../local/stack.ts';
import { waitFor } from '../../../local/wait-for.ts';
import { Truth } from '../../verify/truth.ts';
import type { Product } from '../product.ts';
import { APIS, PROCESSES, SERVERS, type ProcessName, type Rig, type RigProcess } from '../rig.ts';
import { Disks, POSTGRES_ON_SMALL_DISK } from './disks.ts';
import { startEdges, type Edges } from './edges.ts';
import { copyMigratedData, dataDirectory } from './migrated-data.ts';
import { LogWatch, replicatePostgres } from './postgres.ts';
import { eachLogLine, logLines, START_WITHIN_MS, startProcess } from './processes.ts';
import { Probes } from './probes.ts';
import { replicateRedis } from './redis.ts';

export interface RigOptions {
  /** The build: the folder that holds main.js, worker.js and cli.js. */
  dist: string;
  /** Another version of it, for rollouts. */
  other?: string;
  /** For every process of the product; wins over all other settings. */
  env: Environment;
  /** Called at the begin of each phase. */
  onPhase?: (what: string) => void;
}

/** A rig and what the runner alone needs of it. */
export interface RunningRig extends Rig {
  /** Kept by the runner, for the judgement of what happens meanwhile. */
  faults: { active: number; begun: number };
}

/** Time for a process to hand over in a rollout; the default is made for load balancers, which clients here do without. */
const SETTINGS: Environment = { SHUTDOWN_DRAIN_DELAY_MS: '500' };

export async function startRig(
  product: Pick<Product, 'settings' | 'webhooks'>,
  options: RigOptions,
): Promise<RunningRig> {
  const started: (() => unknown)[] = [];
  /** The reverse of the order in which it was started: nothing is asked for that is gone. */
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    return await assemble(product, options, { started, stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  product: Pick<Product, 'settings' | 'webhooks'>,
  options: RigOptions,
  { started, stop }: { started: (() => unknown)[]; stop: () => Promise<void> },
): Promise<RunningRig> {
  const { onPhase = () => undefined } = options;
  onPhase('starting servers');
  const directory = await privateDirectory('nemesis');
  started.push(() => directory.remove());
  const edges = await startEdges();
  started.push(() => edges.stop());

  const disks = new Disks();
  const log = new LogWatch();
  const through = (name: string, env: Environment): Environment => {
    const rerouted = { ...env, ...addressesOf(name, env, edges) };
    return { ...rerouted, ...SETTINGS, ...product.settings(rerouted), ...options.env };
  };
  const postgresDirectory = (await disks.next()) ?? (await dataDirectory());
  await copyMigratedData(postgresDirectory, options.dist);
  const stack = await startTestStack({
    dist: options.dist,
    onPostgresLog: log.see,
    postgresDirectory,
    migrate: false,
    postgresSettings: POSTGRES_ON_SMALL_DISK,
    settings: (env) => {
      for (const server of SERVERS)
        edges.pointTo(server, Number(new URL(String(env[ADDRESSES[server]])).port));
      return through('cli', env);
    },
  });
  started.push(() => stack.stop());

  onPhase('starting replicas');
  const [postgres, redis] = await Promise.all([
    replicatePostgres(stack.postgres, { log, disks }, (server) => edges.pointTo('postgres', server.port)),
    replicateRedis(stack.redis, (server, options) => edges.pointTo('redis', server.port, options)),
  ]);
  started.push(
    () => postgres.stop(),
    () => redis.stop(),
  );
  // Always the present primaries: what asks the stack does so past the edges.
  Object.defineProperties(stack, {
    postgres: { get: () => postgres.primary },
    redis: { get: () => redis.primary },
  });

  onPhase('starting the product');
  const faults = { active: 0, begun: 0 };
  const unexpectedEnds: string[] = [];
  const onUnexpectedEnd = (what: string): void => void unexpectedEnds.push(what);
  const builds = { own: options.dist, other: options.other ?? options.dist };
  const surroundings = { stack, directory: directory.path, builds, faults, onUnexpectedEnd };
  const list = await Promise.all(
    PROCESSES.map((name) => startProcess(name, through(name, stack.env), surroundings)),
  );
  started.push(() => Promise.all(list.map((process) => process.abandon())));
  const processes = new Map<ProcessName, RigProcess>(list.map((process) => [process.name, process]));
  for (const api of APIS) edges.pointTo(api, portOf(processes.get(api)));
  const urlOf = (api: string): string => `http://127.0.0.1:${edges.byName.get(`clients>${api}`)?.port}`;
  if (product.webhooks)
    await stack.sandbox.sendWebhooksTo(
      `http://127.0.0.1:${edges.byName.get('provider>api-1')?.port}${product.webhooks}`,
    );

  const ready = (within: number): Promise<string[]> => notReady(list, within);
  onPhase('getting ready');
  const unready = await ready(START_WITHIN_MS);
  if (unready.length > 0) throw new Error(`The product did not become ready: ${unready.join(', ')}`);
  const probes = new Probes(list);
  started.push(() => probes.stop());

  return {
    stack,
    truth: new Truth(stack),
    processes,
    edges: edges.byName,
    postgres,
    redis,
    provider: stack.sandbox,
    smtp: stack.sink,
    urlOf,
    cli: (args, env, { killAfterMs, unread } = {}) =>
      stack.cli(args, env, { unread, ...(killAfterMs && { timeoutMs: killAfterMs, killSignal: 'SIGKILL' }) }),
    env: stack.env,
    probes: probes.answers,
    unexpectedEnds,
    logLines: (text) => logLines(directory.path, PROCESSES, text),
    eachLogLine: (see) => eachLogLine(directory.path, PROCESSES, see),
    faults,
    heal: async (within = 60_000) => {
      edges.heal();
      await Promise.all([
        ...[postgres.primary, redis.primary, redis.replica, stack.sandbox, stack.sink].map((server) =>
          revive(server, () => server.restart()),
        ),
        ...list.map(async (process) => {
          await process.setClock(0);
          await revive(process, () => process.startAgain());
        }),
      ]);
      await Promise.all([stack.sandbox.setMood(null), stack.sink.setMood('ok'), postgres.whole()]);
      return ready(within);
    },
    stop,
  };
}

const ADDRESSES = {
  postgres: 'DATABASE_URL',
  redis: 'REDIS_URL',
  provider: 'PAYMENT_PROVIDER_URL',
  smtp: 'SMTP_URL',
} as const;

/** The addresses of all servers for one part, through its own edges. */
function addressesOf(name: string, env: Environment, edges: Edges): Environment {
  return Object.fromEntries(
    SERVERS.map((server) => {
      const address = new URL(String(env[ADDRESSES[server]]));
      address.port = String(edges.byName.get(`${name}>${server}`)?.port);
      return [ADDRESSES[server], address.href.replace(/\/$/, '')];
    }),
  );
}

/** Thaws it if it runs, starts it if it does not. */
async function revive(
  server: { readonly pid: number; thaw(): void },
  start: () => Promise<void>,
): Promise<void> {
  try {
    server.thaw();
  } catch {
    await start();
  }
}

/** Waits until every process reports that all is well. @returns those that do not in time */
async function notReady(processes: readonly RigProcess[], within: number): Promise<string[]> {
  const found = await Promise.all(
    processes.map(async (process) => {
      let said = 'no answer';
      try {
        await waitFor(
          async () => {
            const answer = await process.management.get<{ status: string }>('/health/ready', {
              timeoutMs: 2_000,
            });
            said = `${answer.status} ${answer.text}`;
            return answer.body?.status === 'ok';
          },
          { within, every: 50 },
        );
        return [];
      } catch {
        return [`${process.name} is not ready after ${within} ms: ${said.slice(0, 300)}`];
      }
    }),
  );
  return found.flat();
}

function portOf(process: RigProcess | undefined): number {
  return (process as unknown as { port: number }).port;
}
