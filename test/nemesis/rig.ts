import type { AppProcess, Environment, LogRecord } from '../../local/processes.ts';
import type { SandboxProcess, SinkProcess } from '../../local/outside-services.ts';
import type { PostgresServer } from '../../local/servers/postgres.ts';
import type { RedisServer } from '../../local/servers/redis.ts';
import type { TestStack } from '../../local/stack.ts';
import type { Truth } from '../verify/truth.ts';

export const APIS = ['api-1', 'api-2'] as const;
export const WORKERS = ['worker-1', 'worker-2'] as const;
export const PROCESSES = [...APIS, ...WORKERS] as const;
export type ProcessName = (typeof PROCESSES)[number];
export const SERVERS = ['postgres', 'redis', 'provider', 'smtp'] as const;

/** A connection between two parts, which leads through a TCP proxy of the harness: `api-1>postgres`, `clients>api-1`. */
export const EDGES: readonly string[] = [
  ...APIS.map((api) => `clients>${api}`),
  ...PROCESSES.flatMap((name) => SERVERS.map((server) => `${name}>${server}`)),
];

/** What can be done to the connections of an edge. */
export interface Edge {
  readonly port: number;
  /** New connections go there from now on; the open ones are cut. */
  pointTo(port: number): void;
  cut(): void;
  /** Holds every byte back for so long, in both directions; 0 for no longer. */
  delay(milliseconds: number): void;
  /** Swallows what is sent in this direction, without an error; undefined for none. What was swallowed is lost: `heal` cuts the connections. */
  blackHole(direction: 'there' | 'back' | 'both' | undefined): void;
  /** As at first. */
  heal(): void;
}

export interface RigProcess extends AppProcess {
  name: ProcessName;
  /** Lets its clock be wrong by so much from now on, over restarts too; 0 for right again. Positive: ahead. */
  setClock(offsetMs: number): Promise<void>;
  /** Frozen by a fault, or not running. */
  readonly isDown: boolean;
}

/** One answer of a probe of the management port. */
export interface Probed {
  process: ProcessName;
  path: '/health/live' | '/health/ready';
  /** Milliseconds after the load began. */
  at: number;
  /** 0: no answer within 5 s, or no connection. */
  status: number;
  /** Whether a fault held the process down when it was asked or answered: then it proves nothing. */
  excused: boolean;
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
  /** The present primary, and its standby while there is one. */
  postgres: { primary: PostgresServer; failOver(options: { readOnlyMs: number }): Promise<void> };
  redis: { primary: RedisServer; failOver(options: { readOnlyMs: number }): Promise<void> };
  provider: SandboxProcess;
  smtp: SinkProcess;
  /** Base address of an api as its clients see it: through its proxy. */
  urlOf(api: string): string;
  /** Runs a command of the product, for example `['migrate']`. */
  cli: TestStack['cli'];
  env: Environment;
  /** Answers of the probes, which run all the time. */
  probes: readonly Probed[];
  /** Ends of processes that no fault had asked for, or with another exit code than 0 after SIGTERM. */
  unexpectedEnds: readonly string[];
  /** Lines of the log that contain `text`, oldest first. */
  logLines(text: string): (LogRecord & { process: ProcessName })[];
  /** Everything of the logs, line by line, for the search for secrets. */
  eachLogLine(see: (process: ProcessName, line: string) => void): void;
  /** Ends every fault, starts what is down, and waits until all is ready. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}
