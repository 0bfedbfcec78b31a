import { leftHalfWay } from '../../clients/left-half-way.ts';
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
  refusing: string[];
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

function known({ hot, tills, writes, forbidden, sessions, workersAtWork, refusing, secrets }: World) {
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
    refusing,
    secrets,
  };
}

/** What is left half-way, in words. */
export async function unfinished(rig: Rig): Promise<string[]> {
  const count = await rig.truth.count(
    `SELECT count(*) FROM withdrawals WHERE status IN ('pending', 'unknown')`,
  );
  return [...(count > 0 ? [`${count} withdrawals that are not settled`] : []), ...(await leftHalfWay(rig))];
}
