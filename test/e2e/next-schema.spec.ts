import { randomUUID } from 'node:crypto';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../local/wait-for.ts';
import { buildIndex } from '../../migrations/lib/build-index.ts';
import { inBatches } from '../../migrations/lib/in-batches.ts';
import { Migrator } from '../../src/platform/database/index.ts';
import { startLedger, type LedgerUnderTest } from '../specimen/ledger-under-test.ts';
import { newAccount } from '../factories/accounts.ts';
import { newUser } from '../factories/users.ts';
import { withKey } from '../factories/keys.ts';

/** The next release of the ledger: accounts get a label, a required kind with an index, and a table that refers to transfers. */
const NEXT = [
  class Expand9000000000001 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(
        `ALTER TABLE accounts ADD COLUMN label text, ADD COLUMN kind text NOT NULL DEFAULT 'giro'`,
      );
    }
    async down(): Promise<void> {}
  },
  class Backfill9000000000002 implements MigrationInterface {
    transaction = false;
    async up(runner: QueryRunner): Promise<void> {
      await inBatches(runner, {
        table: 'accounts',
        set: 'label = upper(name)',
        where: 'label IS NULL',
        batch: 10,
      });
    }
    async down(): Promise<void> {}
  },
  class Index9000000000003 implements MigrationInterface {
    transaction = false;
    async up(runner: QueryRunner): Promise<void> {
      await buildIndex(runner, 'accounts_kind', 'ON accounts (kind, id)');
    }
    async down(): Promise<void> {}
  },
  class Constraint9000000000004 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(`ALTER TABLE accounts ADD CONSTRAINT accounts_kind CHECK (kind <> '') NOT VALID`);
    }
    async down(): Promise<void> {}
  },
  class Validated9000000000005 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query('ALTER TABLE accounts VALIDATE CONSTRAINT accounts_kind');
    }
    async down(): Promise<void> {}
  },
  class Disputes9000000000006 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query(
        'CREATE TABLE disputes (id uuid PRIMARY KEY, transfer_id uuid NOT NULL REFERENCES transfers)',
      );
    }
    async down(): Promise<void> {}
  },
];

describe('the release that runs, on the schema of the next one', () => {
  let ledger: LedgerUnderTest;
  beforeAll(async () => {
    ledger = await startLedger();
  });
  afterAll(() => ledger?.stop());

  it('answers every request while the schema is expanded, and afterwards', async () => {
    const ada = await newUser(ledger);
    const [from, to] = [await newAccount(ada, 1_000_000), await newAccount(ada, 0)];
    await ledger.sql(
      `INSERT INTO accounts (id, owner_id, name, balance, currency)
       SELECT uuidv7(), $1, 'Account ' || n, 0, 'EUR' FROM generate_series(1, 300) AS n`,
      [ada.userId],
    );
    const statuses = new Set<string>();
    let answered = 0;
    let open = true;
    const visit = async (): Promise<void> => {
      while (open) {
        const body = { from, parts: [{ to, amount: 1 }] };
        const transfer = await ada.http.post<{ id: string }>('/v1/transfers', body, withKey(randomUUID()));
        const read = await ada.http.get(`/v1/transfers/${transfer.body.id}`);
        const account = await ada.http.post('/v1/accounts', {
          name: 'Savings',
          balance: { amount: 1, currency: 'EUR' },
        });
        const list = await ledger.http.get(`/v1/accounts?limit=${1 + (answered % 50)}`);
        statuses.add(
          `transfer ${transfer.status}, read ${read.status}, account ${account.status}, list ${list.status}`,
        );
        answered += 4;
      }
    };
    const visitors = Array.from({ length: 4 }, visit);
    const more = async (): Promise<void> => {
      const before = answered;
      await waitFor(() => answered > before + 60, { within: 60_000, what: 'traffic' });
    };
    const migrator = await Migrator.open(ledger.settings.database, undefined, NEXT);
    try {
      await more();
      expect(await migrator.migrate()).toEqual(NEXT.map(({ name }) => name));
      await more();
      open = false;
      await Promise.all(visitors);
    } finally {
      open = false;
      await Promise.allSettled(visitors);
      await migrator.close();
    }
    expect([...statuses]).toEqual(['transfer 201, read 200, account 201, list 200']);
  });

  it('fails when the schema is contracted at once, which is why that is for the release after', async () => {
    const ada = await newUser(ledger);
    await ledger.sql('ALTER TABLE accounts DROP COLUMN note');
    try {
      const { status } = await ada.http.post('/v1/accounts', {
        name: 'Savings',
        balance: { amount: 1, currency: 'EUR' },
      });
      expect(status).toBe(500);
    } finally {
      await ledger.sql('ALTER TABLE accounts ADD COLUMN note text');
    }
  });
});
