import { appendFile } from 'node:fs/promises';
import { waitFor } from '../wait-for.ts';
import { asAdmin, backUp, postgresDirectory, startOnCopy, writeAsOwner } from './postgres-backup.ts';
import type { PostgresOptions, PostgresServer } from './postgres.ts';

export interface PostgresReplica extends PostgresServer {
  /** Ends recovery: from now on it accepts writes. */
  promote(): Promise<void>;
  /** Pauses replay, as a long query on a replica or a slow disk does; WAL still arrives. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
}

/** Starts a hot standby that streams from `primary`. */
export async function startReplica(
  primary: PostgresServer,
  options: Pick<PostgresOptions, 'settings' | 'onLine' | 'directory'> = {},
): Promise<PostgresReplica> {
  const fill = async (dataDir: string): Promise<void> => {
    await backUp(primary, dataDir);
    await followAs(dataDir, primary);
  };
  const directory = options.directory ?? (await postgresDirectory('replica'));
  const server = await startOnCopy(directory, fill, options);
  const ask = (text: string) => asAdmin(server, (client) => client.query(text));
  return Object.assign(server, {
    promote: async () => {
      await ask('SELECT pg_promote()');
    },
    pauseReplay: async () => {
      await ask('SELECT pg_wal_replay_pause()');
    },
    resumeReplay: async () => {
      await ask('SELECT pg_wal_replay_resume()');
    },
  });
}

/** From now on a commit on `primary` waits until a standby has it on its disk. Resolves when there is such a standby. */
export async function replicateSynchronously(primary: PostgresServer): Promise<void> {
  await asAdmin(primary, async (client) => {
    await client.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await client.query('SELECT pg_reload_conf()');
    await waitFor(
      async () => {
        const text = "SELECT count(*)::int AS count FROM pg_stat_replication WHERE sync_state = 'sync'";
        return (await client.query<{ count: number }>(text)).rows[0]?.count;
      },
      { within: 60_000, what: 'a synchronous standby' },
    );
  });
}

/** Restarts a primary as a replica of `newPrimary`, which is still a replica or has been promoted: the end of a switch-over. */
export async function demote(primary: PostgresServer, newPrimary: PostgresServer): Promise<void> {
  await followAs(primary.dataDir, newPrimary);
  await primary.restart();
}

async function followAs(dataDir: string, primary: PostgresServer): Promise<void> {
  const { username, password, port } = new URL(primary.adminUrl());
  const conninfo = `host=127.0.0.1 port=${port} user=${username} password=${password}`;
  await writeAsOwner(dataDir, 'standby.signal', '');
  await appendFile(`${dataDir}/postgresql.auto.conf`, `primary_conninfo = '${conninfo}'\n`);
}
