import pg from 'pg';
import type { TestStack } from '../../local/stack.ts';
import { waitFor } from '../../local/wait-for.ts';
import { withdrawalsOf, type Query, type Withdrawal } from '../specimen/outside.ts';

/** An event of the outbox that a consumer has not recorded. */
export interface OwedEvent {
  id: string;
  name: string;
}

/** What really happened, according to PostgreSQL, the bank and the mail server. */
export class Truth {
  private readonly stack: TestStack;

  constructor(stack: TestStack) {
    this.stack = stack;
  }

  /** A connection for each query: no query depends on what the last scenario did to the server. */
  readonly query: Query = async <Row extends object>(text: string, values: unknown[] = []) => {
    const connectionString = this.stack.postgres.adminUrl('holdfast');
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 20_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  async count(text: string, values: unknown[] = []): Promise<number> {
    const [row] = await this.query<{ count: string }>(text, values);
    return Number(row?.count ?? 0);
  }

  /** Events that are not handled yet: a consumer's record is missing in the inbox. */
  async owed(limit = 5): Promise<OwedEvent[]> {
    return this.query(
      `SELECT id, name FROM outbox_events AS event
       WHERE EXISTS (
         SELECT 1 FROM unnest(event.consumers) AS told (consumer)
         WHERE NOT EXISTS (SELECT 1 FROM inbox WHERE event_id = event.id AND inbox.consumer = told.consumer))
       LIMIT $1`,
      [limit],
    );
  }

  /**
   * Waits until all consumers have handled every event of the outbox.
   * @returns how many are unhandled at the timeout, 0 when none.
   */
  async allHandled(withinMs: number): Promise<number> {
    try {
      await waitFor(async () => (await this.owed(1)).length === 0, { within: withinMs, every: 250 });
      return 0;
    } catch {
      return (await this.owed(100_000)).length;
    }
  }

  deadLetters(): Promise<number> {
    return this.count('SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL');
  }

  /** Mails in the store, by the id of their event. */
  async mails(): Promise<Map<string, { to: string[]; subject: string }>> {
    const mails = await this.stack.sink.mails();
    return new Map(mails.map(({ messageId, ...mail }) => [messageId.slice(0, messageId.indexOf('@')), mail]));
  }

  /** Withdrawals of these customers beside the bank's records of them. */
  async withdrawals(ownerIds: string[]): Promise<SettledWithdrawal[]> {
    const [rows, { charges, timesCharged }] = await Promise.all([
      withdrawalsOf(this.query, ownerIds),
      this.stack.sandbox.summary(),
    ]);
    const byKey = new Map(charges.map((charge) => [charge.idempotencyKey, charge.status]));
    return rows.map((row) => ({
      ...row,
      // A withdrawal that was never paid counts as declined in the end.
      bank: byKey.get(row.id) ?? 'declined',
      timesPaid: timesCharged[row.id] ?? 0,
    }));
  }
}

export interface SettledWithdrawal extends Withdrawal {
  bank: string;
  timesPaid: number;
}
