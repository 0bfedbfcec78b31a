import type { AppProcess, CliResult, Environment, LogRecord } from '../../local/processes.ts';
import type { SandboxProcess, SinkProcess } from '../../local/outside-services.ts';
import type { PostgresServer } from '../../local/servers/postgres.ts';
import type { RedisServer } from '../../local/servers/redis.ts';
import type { SmallDisk } from '../../local/servers/small-disk.ts';
import type { TestStack } from '../../local/stack.ts';
import type { Truth } from '../verify/truth.ts';

export const APIS = ['api-1', 'api-2'] as const;
export const WORKERS = ['worker-1', 'worker-2'] as const;
export const PROCESSES = [...APIS, ...WORKERS] as const;
export type ProcessName = (typeof PROCESSES)[number];
export const SERVERS = ['postgres', 'redis', 'provider', 'smtp'] as const;
export type ServerName = (typeof SERVERS)[number];

/** A connection between two parts, which leads through a TCP proxy of the harness: `api-1>postgres`, `clients>api-1`. */
export const EDGES: readonly string[] = [
  ...APIS.map((api) => `clients>${api}`),
  // Its webhooks.
  'provider>api-1',
  ...[...PROCESSES, 'cli'].flatMap((name) => SERVERS.map((server) => `${name}>${server}`)),
];

/** What can be done to the connections of an edge. */
export interface Edge {
  readonly port: number;
  /** New connections go there from now on; the open ones are cut. */
  pointTo(port: number, options?: { keepOpen?: boolean }): void;
  cut(): void;
  /** Holds every byte back for so long, in both directions; 0 for no longer. */
  delay(milliseconds: number): void;
  /** Drops what is sent in this direction, without an error. `heal` cuts the connections: what was dropped is lost. */
  blackHole(direction: 'there' | 'back' | 'both'): void;
  /** Holds back what is sent; `heal` delivers it. */
  freeze(): void;
  /** No fault any more. Where it points to stays. */
  heal(): void;
}

export interface RigProcess extends Omit<AppProcess, 'startAgain'> {
  name: ProcessName;
  /** Ends it for good. */
  abandon(): Promise<void>;
  /** Lets its clock be wrong by so much from now on, over restarts too; 0 for right again. Positive: ahead. */
  setClock(offsetMs: number): Promise<void>;
  /** Frozen, not running, or not yet started. */
  readonly isDown: boolean;
  /**
   * Starts it again and waits until it is live: ready it may not become while a dependency is down.
   * @param options `other`: from now on the build that `--against` names, or back (false)
   */
  startAgain(env?: Environment, options?: { other?: boolean }): Promise<void>;
}

/** One answer of a probe of the management port. */
export interface Probed {
  process: ProcessName;
  path: '/health/live' | '/health/ready';
  /** Milliseconds after the load began. */
  at: number;
  tookMs: number;
  /** 0: no answer within 5 s, or no connection. */
  status: number;
  /** Whether a fault held the process down when it was asked or answered: then it proves nothing. */
  excused: boolean;
  /** The body of an answer other than 200. */
  says?: string;
}

export interface FailOver {
  /** How long the address leads to the standby before that is promoted: it refuses writes. 0: not at all. */
  readOnlyMs: number;
}

/** A primary and a hot standby to which every acknowledged commit has been copied: a fail-over loses nothing. */
export interface ReplicatedPostgres {
  readonly primary: PostgresServer;
  /** Undefined while a new one is built, after a fail-over. */
  readonly standby: PostgresServer | undefined;
  /** Where the primary keeps its data; undefined when this machine has no disks that can run full. */
  readonly disk: SmallDisk | undefined;
  /** Kills the primary, promotes the standby, moves every edge there, and begins to build the next standby. */
  failOver(options: FailOver): Promise<void>;
}

/** A primary and a replica which may lag: a fail-over may lose what Redis had acknowledged. */
export interface ReplicatedRedis {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** Kills the primary, promotes the replica, moves every edge there, and lets the old primary follow it, empty at first. */
  failOver(options: FailOver): Promise<void>;
  /** Primary and replica change places; new connections go to the new primary, open ones stay at the old one. Nothing is lost. */
  handOver(): Promise<void>;
}

/**
 * The product as it is deployed, small: two api instances and two workers, a primary and a standby of PostgreSQL and of Redis, the
 * provider and the mail server, and a proxy on each connection between any two of them.
 */
export interface Rig {
  stack: TestStack;
  /** Asks PostgreSQL, the provider and the mail store directly, past every proxy. */
  truth: Truth;
  processes: ReadonlyMap<ProcessName, RigProcess>;
  edges: ReadonlyMap<string, Edge>;
  postgres: ReplicatedPostgres;
  redis: ReplicatedRedis;
  provider: SandboxProcess;
  smtp: SinkProcess;
  /** Base address of an api as its clients see it: through its proxy. */
  urlOf(api: string): string;
  /** Runs a command of the product, for example `['migrate']`, through the edges of `cli`. */
  cli(
    args: string[],
    env?: Environment,
    options?: { killAfterMs?: number; unread?: boolean },
  ): Promise<CliResult>;
  env: Environment;
  /** Answers of the probes, which run all the time. */
  probes: readonly Probed[];
  /** Ends of processes that no fault had asked for, or with another exit code than 0 after SIGTERM. */
  unexpectedEnds: readonly string[];
  /** Lines of the log that contain `text`, oldest first. */
  logLines(text: string): (LogRecord & { process: ProcessName })[];
  /** Everything of the logs, line by line, for the search for secrets. */
  eachLogLine(see: (process: ProcessName, line: string) => void): void;
  /**
   * Ends every fault and starts what is down.
   * @returns what is not ready `within` milliseconds later, in words
   */
  heal(within?: number): Promise<string[]>;
  /** Ends everything, whatever state it is in. */
  stop(): Promise<void>;
}
