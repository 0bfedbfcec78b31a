import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { buildSpecimen } from '../../test/specimen/build.ts';
import { browsing, ledgerSettings, listing, reading, transferring } from '../../test/specimen/outside.ts';
import { addUsers, idsOf, settle, withoutForeignKeys } from '../testbed/fill.ts';
import type { Subject } from '../subject.ts';

const TABLES = ['users', 'accounts', 'transfers'];

/** The feature that exists for tests alone (test/specimen). Nothing bare does the same: its figures stand alone. */
export const ledger: Subject = {
  name: 'ledger',
  build: buildSpecimen,
  plaintext: ['SMTP_URL', 'BANK_URL'],
  settings: ledgerSettings,

  fill: async (sql, { callers, things, records }) => {
    await withoutForeignKeys(sql);
    await addUsers(sql, callers);
    // Of the caller that has its id; and others that only receive.
    await sql.query(
      `INSERT INTO accounts (id, owner_id, name, balance, currency)
       SELECT id, id, 'Own', 10000000000, 'EUR' FROM users
       UNION ALL SELECT uuidv7(), uuidv7(), 'Account ' || n, 0, 'EUR' FROM generate_series(1, $1::int) n`,
      [things],
    );
    await addTransfers(sql, records);
    return {
      callers: await idsOf(sql, 'SELECT id FROM users ORDER BY id'),
      things: await idsOf(sql, 'SELECT id FROM accounts WHERE id <> owner_id ORDER BY id'),
    };
  },
  addRecords: addTransfers,
  records: { table: 'transfers', owner: 'owner_id' },

  read: {
    name: 'transfer-read',
    title: 'Authenticated read of one transfer by its id',
    request: (id, token) => reading(token, id),
  },
  list: {
    name: 'transfer-list',
    title: 'Authenticated list of transfers, 20 per page',
    request: (token, cursor) => listing(token, `?limit=20${cursor ? `&cursor=${cursor}` : ''}`),
  },
  readCached: {
    name: 'account-read',
    title: 'Cached read of an account',
    request: browsing,
  },
  write: {
    name: 'transfer-make',
    title: 'Make a transfer: idempotency record, two balances, transfer and outbox in one transaction',
    request: ({ id, token }, index, accounts) =>
      transferring(token, id, accounts[(index * 7) % accounts.length]!),
  },

  mail: {
    nameOf: (transferId) => transferId,
    event: {
      name: 'transfer.made',
      consumer: 'receipts',
      payload: (ownerId) => ({ transferId: randomUUID(), ownerId, amount: 1 }),
    },
    table: 'receipts',
  },
};

async function addTransfers(sql: pg.Client, transfers: number): Promise<void> {
  await sql.query(
    `INSERT INTO transfers (id, owner_id, from_id, parts)
     SELECT uuidv7(), owner, owner, json_build_array(json_build_object('to', owner, 'amount', 1))
     FROM (SELECT array_agg(id ORDER BY id) AS ids FROM users) AS everybody,
       generate_series(1, $1::int) n, LATERAL (SELECT ids[1 + n % cardinality(ids)] AS owner) AS own`,
    [transfers],
  );
  await settle(sql, TABLES);
}
