import pg from 'pg';
import { Ledger1763700000000 } from './migrations/1763700000000-ledger.js';

/** What the migrations of the ledger make, for tests whose migrator knows those of the product only. */
export async function createTables(databaseUrl: string): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await new Ledger1763700000000().up({
      query: async (text: string) => (await client.query(text)).rows as never,
    });
  } finally {
    await client.end();
  }
}
