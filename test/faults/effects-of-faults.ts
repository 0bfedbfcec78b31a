import { randomUUID } from 'node:crypto';
import { httpClient } from '../../local/http.ts';
import { answersQueries } from '../../local/servers/postgres.ts';
import { execute } from '../nemesis/faults/postgres-admin.ts';
import { PROCESSES, SERVERS, type Rig } from '../nemesis/rig.ts';
import type { Step } from '../nemesis/schedule.ts';

import {
  portOf,
  hangs,
  isSilent,
  control,
  redis,
  pings,
  pingTime,
  closes,
  vanishes,
  finds,
  sessionOf,
  ended,
  commandsOf,
  isReplaced,
  webhookSent,
  type Seen,
} from './signs-of-faults.ts';

/** One way to carry out a fault, and how it shows. */
export interface Effect {
  target: string;
  with?: Step['with'];
  /** Called before the fault begins. */
  look(rig: Rig): Seen | Promise<Seen>;
}

const EDGE = 'worker-1>redis';
const OUTBOX = { table: 'outbox_events', pick: 0 };

/** Every fault of the catalogue, by its name. */
export const EFFECTS: Record<string, Effect | Effect[]> = {
  // Servers.
  'freeze-server': SERVERS.map((target) => ({ target, look: (rig) => () => isSilent(rig, target) })),
  'kill-server': SERVERS.map((target) => ({ target, look: (rig) => () => isSilent(rig, target) })),
  'slow-server': {
    target: 'redis',
    with: { delayMs: 300 },
    look: (rig) => async () => (await pingTime(rig, 'api-2>redis')) > 250,
  },

  // The network.
  partition: {
    target: 'worker-1',
    with: { direction: 'both' },
    look: (rig) => async () => !(await pings(rig, EDGE)) && pings(rig, 'worker-2>redis'),
  },
  'slow-edge': {
    target: EDGE,
    with: { delayMs: 300 },
    look: (rig) => async () => (await pingTime(rig, EDGE)) > 250,
  },
  'black-hole': {
    target: EDGE,
    with: { direction: 'back' },
    look: (rig) => async () => !(await pings(rig, EDGE)),
  },
  'stall-edge': { target: EDGE, look: (rig) => async () => !(await pings(rig, EDGE)) },
  'cut-edge': { target: EDGE, look: (rig) => closes(portOf(rig, EDGE)) },
  'flapping-edge': { target: EDGE, with: { everyMs: 50 }, look: (rig) => closes(portOf(rig, EDGE)) },

  // PostgreSQL.
  'fail-over-postgres': {
    target: 'postgres',
    with: { readOnlyMs: 500 },
    look: (rig) => {
      const { port } = rig.postgres.primary;
      return () => rig.postgres.primary.port !== port;
    },
  },
  'freeze-standby': {
    target: 'postgres-standby',
    look: (rig) => () => {
      execute(rig, "COMMENT ON TABLE inbox IS 'written while the standby is frozen'").catch(() => undefined);
      return finds(rig, `FROM pg_stat_activity WHERE wait_event = 'SyncRep'`);
    },
  },
  'terminate-sessions': {
    target: 'postgres',
    look: async (rig) => ended((await sessionOf(rig)).query('SELECT pg_sleep(60)'), '57P01'),
  },
  'cancel-statements': {
    target: 'postgres',
    look: async (rig) => ended((await sessionOf(rig)).query('SELECT pg_sleep(60)'), '57014'),
  },
  'refuse-logins': ['too many', 'not allowed', 'wrong password'].map((because) => ({
    target: 'postgres',
    with: { because },
    look: (rig) => async () => !(await answersQueries(rig.postgres.primary.url())),
  })),
  'read-only-sessions': {
    target: 'postgres',
    look: (rig) => () =>
      finds(rig, `FROM pg_db_role_setting WHERE setconfig::text LIKE '%default_transaction_read_only=on%'`),
  },
  'read-only-postgres': {
    target: 'postgres',
    look: (rig) => () =>
      finds(rig, `FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = 'on'`),
  },
  'lock-table': {
    target: 'table',
    with: OUTBOX,
    look: (rig) => () =>
      finds(
        rig,
        `FROM pg_locks WHERE relation = 'outbox_events'::regclass AND mode = 'AccessExclusiveLock' AND granted`,
      ),
  },

  'fill-disk': {
    target: 'postgres',
    look: (rig) => async () => {
      const megabyte = 'CREATE TEMP TABLE megabyte AS SELECT n FROM generate_series(1, 30000) AS n';
      const failure = await execute(rig, megabyte).catch(({ cause }: Error) => cause as { code?: string });
      return 'code' in failure && failure.code !== undefined;
    },
  },

  // Migrations and maintenance.
  'maintain-table': {
    target: 'table',
    with: { ...OUTBOX, statement: 'VACUUM (FULL)' },
    look: async (rig) => {
      const file = `SELECT pg_relation_filepath('outbox_events') AS path`;
      const [before] = await execute<{ path: string }>(rig, file);
      return async () => (await execute<{ path: string }>(rig, file))[0]?.path !== before?.path;
    },
  },
  'widen-column': {
    target: 'table',
    with: { pick: 0 },
    look: async (rig) => {
      const wide = `SELECT count(*)::int AS count FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'bigint'`;
      const [before] = await execute<{ count: number }>(rig, wide);
      return async () => (await execute<{ count: number }>(rig, wide))[0]!.count > before!.count;
    },
  },
  'add-column': {
    target: 'table',
    with: OUTBOX,
    look: (rig) => () =>
      finds(rig, `FROM information_schema.columns WHERE column_name LIKE 'added_by_nemesis%'`),
  },
  'build-index': {
    target: 'table',
    with: OUTBOX,
    look: (rig) => () => finds(rig, `FROM pg_indexes WHERE indexname LIKE 'index_by_nemesis%'`),
  },
  migrate: {
    target: 'cli',
    look: (rig) => {
      const ended = commandsOf(rig);
      return () => ended.length === 2 && ended.every(({ code }) => code === 0);
    },
  },
  'kill-cli': {
    target: 'migrate',
    with: { afterMs: 1 },
    look: (rig) => {
      const ended = commandsOf(rig);
      return () => ended.length === 1 && ended[0]?.code !== 0;
    },
  },
  'list-dead-letters': {
    target: 'cli',
    look: (rig) => {
      const ended = commandsOf(rig);
      return () => ended.length === 1;
    },
  },
  'replay-dead-letters': {
    target: 'cli',
    look: async (rig) => {
      await execute(
        rig,
        `INSERT INTO dead_letters (id, event_id, consumer, name, payload, occurred_at, reason, attempts)
         VALUES (uuidv7(), uuidv7(), 'nobody', 'nothing.happened', '{}', now(), 'a test', 1)`,
      );
      return () => finds(rig, 'FROM dead_letters WHERE replayed_at IS NOT NULL');
    },
  },

  // Redis.
  'empty-redis': { target: 'redis', look: (rig) => vanishes(rig, 'a-key-of-the-test') },
  'fill-redis': {
    target: 'redis',
    look: (rig) => async () => (await redis(rig, 'SET a-key 1')).startsWith('-OOM'),
  },
  'fail-over-redis': {
    target: 'redis',
    with: { readOnlyMs: 300 },
    look: (rig) => {
      const { port } = rig.redis.primary;
      return () => rig.redis.primary.port !== port;
    },
  },
  'hand-over-redis': {
    target: 'redis',
    look: (rig) => {
      const { port } = rig.redis.primary;
      return () => rig.redis.primary.port !== port;
    },
  },
  'disconnect-redis': { target: 'redis', look: (rig) => closes(rig.redis.primary.port) },
  'block-redis': {
    target: 'redis',
    look: (rig) => async () => (await redis(rig, 'PING')).startsWith('-BUSY'),
  },
  'forget-scripts': {
    target: 'redis',
    look: async (rig) => {
      const [, hash] = (await redis(rig, 'SCRIPT LOAD "return 1"')).split('\r\n');
      return async () => (await redis(rig, `SCRIPT EXISTS ${hash}`)).includes(':0');
    },
  },

  // Services outside.
  'moody-provider': {
    target: 'provider',
    with: { mood: 'error' },
    look: (rig) => async () =>
      (await control<{ mood: string }>(`${rig.provider.url}/control`)).mood === 'error',
  },
  'moody-smtp': {
    target: 'smtp',
    with: { mood: 'refuse' },
    look: (rig) => async () => (await control<{ mood: string }>(rig.smtp.controlUrl)).mood === 'refuse',
  },
  'lose-webhooks': {
    target: 'provider',
    look: (rig) => async () => !(await rig.provider.webhooks()).enabled,
  },
  'repeat-webhooks': {
    target: 'provider',
    with: { last: 1 },
    look: async (rig) => {
      const received = await webhookSent(rig);
      return () => received() === 2;
    },
  },

  // Deliveries.
  'deliver-again': {
    target: 'outbox',
    with: { seconds: 3600 },
    look: async (rig) => {
      const attempts = 'SELECT count(*)::int AS total FROM outbox_events WHERE relay_attempts > 1';
      const [before] = await execute<{ total: number }>(rig, attempts);
      return async () => (await execute<{ total: number }>(rig, attempts))[0]!.total > before!.total;
    },
  },
  'lose-job-locks': { target: 'redis', look: (rig) => vanishes(rig, 'bull:queue:job:lock') },
  'pause-queues': {
    target: 'redis',
    look: (rig) => async () => (await redis(rig, 'HEXISTS {holdfast}:receipts:meta paused')).startsWith(':1'),
  },

  // Processes of the product.
  'freeze-process': { target: 'worker-2', look: (rig) => () => hangs(rig, 'worker-2') },
  'freeze-in-commit': { target: 'api-2', look: (rig) => () => hangs(rig, 'api-2') },
  'kill-process': { target: 'worker-2', look: (rig) => () => !rig.processes.get('worker-2')!.isRunning },
  'restart-process': { target: 'api-2', look: (rig) => isReplaced(rig, 'api-2') },
  rollout: {
    target: 'all processes',
    with: { other: false },
    look: (rig) => {
      const replaced = PROCESSES.map((name) => isReplaced(rig, name));
      return () => replaced.every((seen) => seen());
    },
  },
  'wrong-clock': {
    target: 'api-1',
    with: { offsetMs: 600_000 },
    look: (rig) => async () => {
      const id = randomUUID();
      await httpClient(rig.urlOf('api-1')).get('/v1/accounts', { headers: { 'x-request-id': id } });
      return rig.logLines(id).some(({ time = '' }) => Date.parse(time) > Date.now() + 300_000);
    },
  },
};
