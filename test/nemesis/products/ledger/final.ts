import { Redis } from 'ioredis';
import type { Rig } from '../../rig.ts';
import type { Session } from '../../clients/sessions.ts';
import { worldOf, type LedgerWrite, type World } from './world.ts';

export interface FinalTransfer {
  id: string;
  from: string;
  parts: { to: string; amount: number }[];
  /** Events that were announced for it. */
  events: string[];
  receipts: number[];
}

/** What is stored at the end, beside what the clients know. */
export interface Final {
  accounts: { id: string; name: string; balance: number; version: number }[];
  transfers: FinalTransfer[];
  withdrawals: { id: string; accountId: string; amount: number; status: string }[];
  charges: { key: string; amount: number; status: string; reference: string; times: number }[];
  prints: { id: string; copies: number }[];
  payees: { id: string; name: string; checks: number }[];
  /** Answers that are recorded for keys. */
  records: { key: string; status: number | null; body: string | null }[];
  /** Ids of the events that a mail was kept of. */
  mails: string[];
  deadLetters: { name: string; reason: string }[];
  /** How many events and jobs there were. */
  announced: number;
  opening: { id: string; owner: string; name: string; opening: number }[];
  /** Those of `opening` between which only transfers were made. */
  hot: string[];
  writes: Omit<LedgerWrite, 'owner' | 'object' | 'acknowledged'>[];
  forbidden: number[];
  sessions: Pick<Session, 'name' | 'state'>[];
  workersAtWork: string[];
  secrets: string[];
}

/** Reads everything once, in few statements: the rows of one statement belong together. */
export async function final(rig: Rig): Promise<Final> {
  const world = worldOf(rig);
  const { query } = rig.truth;
  const [rows, { charges, timesCharged }, mails] = await Promise.all([
    query<{ stored: Stored }>(`SELECT json_build_object(
      'accounts', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'balance', balance, 'version', version)), '[]')
        FROM accounts),
      'transfers', (SELECT coalesce(json_agg(json_build_object('id', id, 'from', from_id, 'parts', parts,
          'events', ARRAY(SELECT event.id FROM outbox_events AS event
            WHERE event.name = 'transfer.made' AND event.payload->>'transferId' = transfers.id::text),
          'receipts', ARRAY(SELECT amount FROM receipts WHERE transfer_id = transfers.id)) ORDER BY id), '[]')
        FROM transfers),
      'withdrawals', (SELECT coalesce(json_agg(json_build_object('id', id, 'accountId', account_id, 'amount', amount, 'status', status)), '[]')
        FROM withdrawals),
      'prints', (SELECT coalesce(json_agg(json_build_object('id', id, 'copies', copies)), '[]') FROM prints),
      'payees', (SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'checks', checks)), '[]') FROM payees),
      'records', (SELECT coalesce(json_agg(json_build_object('key', key, 'status', status, 'body', body)), '[]')
        FROM idempotency_records),
      'deadLetters', (SELECT coalesce(json_agg(json_build_object('name', name, 'reason', reason)), '[]') FROM dead_letters),
      'announced', (SELECT count(*) FROM outbox_events)
    ) AS stored`),
    rig.provider.summary(),
    rig.truth.mails(),
  ]);
  return {
    ...rows[0]!.stored,
    charges: charges.map(({ idempotencyKey: key, amount, status, reference }) => ({
      key,
      amount,
      status,
      reference,
      times: timesCharged[key] ?? 0,
    })),
    mails: [...mails.keys()],
    ...known(world),
  };
}

type Stored = Pick<
  Final,
  'accounts' | 'transfers' | 'withdrawals' | 'prints' | 'payees' | 'records' | 'deadLetters' | 'announced'
>;

function known({ hot, tills, writes, forbidden, sessions, workersAtWork, secrets }: World) {
  return {
    opening: [...hot, ...tills].map(({ id, owner, name, opening }) => {
      return { id, owner: owner.id, name, opening };
    }),
    hot: hot.map(({ id }) => id),
    writes: writes.map(({ key, kind, from, path, body, amount, settled }) => {
      return { key, kind, from, path, body, amount, settled };
    }),
    forbidden,
    sessions: sessions.map(({ name, state }) => ({ name, state })),
    workersAtWork: [...workersAtWork],
    secrets,
  };
}

/** What is left half-way, in words. */
export async function unfinished(rig: Rig): Promise<string[]> {
  const counted = await rig.truth.query<{ what: string; count: string }>(`
    SELECT 'events or jobs that nobody has handled' AS what, count(*) FROM outbox_events AS event
      WHERE EXISTS (SELECT FROM unnest(event.consumers) AS told (consumer)
        WHERE NOT EXISTS (SELECT FROM inbox WHERE event_id = event.id AND inbox.consumer = told.consumer)
          AND NOT EXISTS (SELECT FROM dead_letters WHERE event_id = event.id AND dead_letters.consumer = told.consumer))
    UNION ALL SELECT 'events that were not relayed', count(*) FROM outbox_events WHERE relayed_at IS NULL
    UNION ALL SELECT 'withdrawals that are not settled', count(*) FROM withdrawals WHERE status IN ('pending', 'unknown')
    UNION ALL SELECT 'keys whose work is running', count(*) FROM idempotency_records WHERE status IS NULL
    UNION ALL SELECT 'open transactions', count(*) FROM pg_stat_activity
      WHERE datname = 'holdfast' AND pid <> pg_backend_pid() AND xact_start < now() - interval '5 seconds'`);
  const inDatabase = counted.filter(({ count }) => Number(count) > 0);
  return [...inDatabase.map(({ what, count }) => `${count} ${what}`), ...(await waitingJobs(rig))];
}

/** Jobs that wait, or are being run: of workers that are idle there are none. */
async function waitingJobs(rig: Rig): Promise<string[]> {
  const redis = new Redis(rig.redis.primary.url(), { lazyConnect: true, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const keys = await redis.keys('*');
    const left: string[] = [];
    for (const key of keys.filter((name) => /:(wait|active|prioritized|paused)$/.test(name))) {
      const count = (await redis.type(key)) === 'list' ? await redis.llen(key) : await redis.zcard(key);
      if (count > 0) left.push(`${count} jobs in ${key}`);
    }
    return left;
  } finally {
    redis.disconnect();
  }
}
