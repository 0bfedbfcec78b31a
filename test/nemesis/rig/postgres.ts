import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { PostgresServer } from '../../../local/servers/postgres.ts';
import { startReplica, type PostgresReplica } from '../../../local/servers/postgres-replica.ts';
import { waitFor } from '../../../local/wait-for.ts';
import { POSTGRES_ON_SMALL_DISK, type Disks } from './disks.ts';
import type { FailOver, ReplicatedPostgres } from '../rig.ts';

/** The default of 5 s would have every commit wait as long after each restart of the primary. */
const STANDBY_SETTINGS = { ...POSTGRES_ON_SMALL_DISK, wal_retrieve_retry_interval: '100ms' };

const BUILD_AGAIN_AFTER_MS = 500;

/** A wait for the standby that was cut short: this commit was acknowledged, but may exist on the primary alone. */
const UNREPLICATED = 'cancel(l)?ing (the )?wait for synchronous replication';

export interface PostgresPair extends ReplicatedPostgres {
  /** Waits until there is a standby that is in step. */
  whole(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param log has seen every line of the log of `first`
 * @param moved called when the address shall lead elsewhere
 */
export async function replicatePostgres(
  first: PostgresServer,
  { log, disks }: { log: LogWatch; disks: Disks },
  moved: (server: PostgresServer) => void,
): Promise<PostgresPair> {
  let primary = first;
  let standby: PostgresReplica | undefined;
  let building: Promise<void> = Promise.resolve();
  let stopped = false;

  const build = async (): Promise<void> => {
    // A promoted standby must not wait for anybody before it has a standby itself: the base backup is made without.
    await administer(primary, 'ALTER SYSTEM RESET synchronous_standby_names');
    await administer(primary, 'SELECT pg_reload_conf()');
    const built = await startReplica(primary, {
      settings: STANDBY_SETTINGS,
      onLine: log.see,
      directory: await disks.next(),
    });
    try {
      await administer(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'");
      await administer(primary, 'SELECT pg_reload_conf()');
      await inStep(primary);
      standby = built;
    } finally {
      if (standby !== built || stopped) await built.stop();
    }
  };
  /** Another fault may end the primary meanwhile. */
  const buildAgain = async (): Promise<void> => {
    while (!stopped) {
      try {
        return await build();
      } catch {
        await delay(BUILD_AGAIN_AFTER_MS);
      }
    }
  };
  await build();

  return {
    get primary() {
      return primary;
    },
    get standby() {
      return standby;
    },
    get disk() {
      return disks.of(primary);
    },
    failOver: async ({ readOnlyMs }: FailOver) => {
      await building;
      const [old, next] = [primary, standby];
      if (!next) throw new Error('There is no standby');
      if (readOnlyMs > 0) {
        moved(next);
        await delay(readOnlyMs);
      }
      await killInStep(old, log);
      await next.promote();
      primary = next;
      standby = undefined;
      moved(next);
      building = old.stop().then(buildAgain);
    },
    whole: async () => {
      await building;
      await inStep(primary);
    },
    stop: async () => {
      stopped = true;
      await building;
      await Promise.all([primary.stop(), standby?.stop()]);
    },
  };
}

/** Counts what a server has acknowledged without its standby. */
export class LogWatch {
  unreplicated = 0;
  readonly see = (line: string): void => {
    if (new RegExp(UNREPLICATED).test(line)) this.unreplicated += 1;
  };
}

/**
 * Kills a primary at a moment at which its standby has all that clients were told is committed. A commit that was waiting for the
 * standby may be lost: nobody was told. One whose wait was cut short by a timeout was acknowledged; if that happened in the last
 * moment, the server is started again and the same is tried once more.
 */
async function killInStep(server: PostgresServer, log: LogWatch): Promise<void> {
  for (;;) {
    const before = log.unreplicated;
    await inStep(server);
    await server.kill();
    if (log.unreplicated === before) return;
    await server.restart();
  }
}

/** Waits until a standby has flushed what the primary had when this began. */
async function inStep(server: PostgresServer): Promise<void> {
  const [now] = await administer<{ lsn: string }>(server, 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
  await waitFor(
    async () => {
      const text = 'SELECT count(*)::int AS count FROM pg_stat_replication WHERE flush_lsn >= $1::pg_lsn';
      return (await administer<{ count: number }>(server, text, [now?.lsn]))[0]?.count;
    },
    { within: 60_000, what: 'a standby that is in step' },
  );
}

async function administer<Row extends pg.QueryResultRow>(
  server: PostgresServer,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server.adminUrl(), connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
