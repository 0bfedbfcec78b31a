import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Settings } from '../../config/index.js';
import { TransientError } from '../errors/index.js';
import { FaultInjector } from '../resilience/index.js';
import { OutageLog, within } from '../runtime/index.js';
import { knownFailure } from './known-failure.js';
import { isReply, redisClient } from './redis-client.js';

/** Milliseconds between probes of a Redis that accepts commands but does not answer. */
const PROBE_EVERY_MS = 500;
/** Milliseconds without a byte after a command before the socket counts as dead (a lost peer sends no FIN). */
const SOCKET_TIMEOUT_MS = 10_000;
/** Commands that are this many time limits old are taken out of the client's queue. */
const ABANDON_AFTER = 4;
/** The target of injected faults. */
const TARGET = 'dependency:redis';
/** Milliseconds that the start waits for the first connection; Redis is optional, so it goes on without. */
const FIRST_CONNECTION_WITHIN_MS = 1000;

/**
 * Redis for the request path: everything either answers within `REDIS_COMMAND_TIMEOUT_MS` or fails, and once a command
 * has timed out the following ones fail at once, until a probe is answered. So a frozen Redis costs a few requests one timeout,
 * instead of every request (a server that is down refuses connections; a frozen one accepts and never replies).
 *
 * Callers must be able to go on without Redis: everything in it here is a copy or an estimate.
 */
@Injectable()
export class RedisConnection implements OnModuleInit, OnApplicationShutdown {
  /** For libraries that need an ioredis client. Check `isUsable` first; commands may fail at any time. */
  readonly client: Redis;
  private readonly logger = new Logger(RedisConnection.name);
  private readonly prefix: string;
  private unresponsive = false;
  private nextProbeAt = 0;
  private readonly timeoutMs: number;
  private readonly outage = new OutageLog(this.logger, {
    begins: 'Redis does not answer; continuing without it',
    ends: 'Redis answers again',
  });

  constructor(
    @Inject(Settings) { app, redis }: Settings,
    @Optional() private readonly faults?: FaultInjector,
  ) {
    this.faults?.offer(TARGET);
    this.timeoutMs = redis.commandTimeoutMs;
    this.prefix = redis.prefix;
    this.client = redisClient(redis, {
      connectionName: app.name,
      // The library's own time limit only removes commands that nothing waits for; the one that counts is in `run`.
      commandTimeout: ABANDON_AFTER * redis.commandTimeoutMs,
      socketTimeout: SOCKET_TIMEOUT_MS,
      // Nothing waits for an old command: its caller has gone on without Redis.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    });
    this.client.on('error', (error: Error) => this.outage.failed(error, knownFailure(error)));
    this.client.on('ready', () => this.reportBack());
  }

  /** Whether a command has a chance now: connected, and answering as far as is known. */
  get isUsable(): boolean {
    if (this.client.status !== 'ready' || this.faults?.refuses(TARGET)) return false;
    if (this.unresponsive) this.probe();
    return !this.unresponsive;
  }

  /** A key under the prefix of this installation. */
  key(...parts: string[]): string {
    return `${this.prefix}:${parts.join(':')}`;
  }

  /**
   * Runs commands, or fails at once when Redis is known to be down.
   * @throws TransientError `redis-unavailable` when it is down or did not answer in time.
   */
  async run<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    if (!this.isUsable) throw unavailable();
    try {
      return await within(this.timeoutMs, this.struck(work), timedOut);
    } catch (error) {
      this.observe(error);
      throw isReply(error) ? error : unavailable(error);
    }
  }

  /** For callers that used `client`: reports that a command failed, so that later ones need not time out too. */
  observe(error: unknown): void {
    if (!(error instanceof Error) || !/timed? ?out/i.test(error.message) || this.unresponsive) return;
    this.unresponsive = true;
    this.outage.failed(error);
    // At once: after a short failure it answers quickly.
    this.probe();
  }

  async onModuleInit(): Promise<void> {
    // Rejects when the first attempt fails; the client keeps trying by itself.
    await within(FIRST_CONNECTION_WITHIN_MS, this.client.connect()).catch(() => undefined);
    await this.refuseCluster();
  }

  /** Last of all hooks: until then requests in flight may still need it. */
  onApplicationShutdown(): void {
    this.client.disconnect();
  }

  /**
   * Members of a Cluster redirect clients for most keys, which these clients do not follow: jobs would fail one by one, at any
   * time.
   * @throws Error when this Redis is one
   */
  private async refuseCluster(): Promise<void> {
    const server = await this.run((client) => client.info('server')).catch(() => '');
    if (!server.includes('redis_mode:cluster')) return;
    this.client.disconnect();
    throw new Error(
      'REDIS_URL points to a Redis Cluster, which is not supported: use one server, or Sentinels (REDIS_SENTINELS)',
    );
  }

  /** The command, or the effect of an injected fault. */
  private async struck<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    await this.faults?.inject(TARGET, {
      // The caller has timed out before.
      withinMs: ABANDON_AFTER * this.timeoutMs,
      refused: () => new Error('Connection is closed.'),
      unanswered: timedOut,
    });
    return work(this.client);
  }

  private probe(): void {
    const now = performance.now();
    if (now < this.nextProbeAt) return;
    this.nextProbeAt = now + PROBE_EVERY_MS;
    this.struck((client) => client.ping()).then(
      () => this.reportBack(),
      () => undefined,
    );
  }

  private reportBack(): void {
    this.unresponsive = false;
    this.outage.recovered();
  }
}

/** As ioredis does. */
function timedOut(): Error {
  return new Error('Command timed out');
}

function unavailable(cause?: unknown): TransientError {
  return new TransientError({
    /** Redis is down or does not answer. Requests go on without it; this code is only in logs. */
    code: 'redis-unavailable',
    detail: 'Redis is unavailable. Retry later.',
    cause,
  });
}
