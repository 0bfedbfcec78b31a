import pg from 'pg';
import type { TestStack } from '../../local/stack.ts';
import { waitFor } from '../../local/wait-for.ts';

/** An event of the outbox that some consumer has not recorded. */
export interface OwedEvent {
  id: string;
  name: string;
}

/** What really happened, asked where it is written down: PostgreSQL, the payment provider, the mail server. */
export class Truth {
  private readonly stack: TestStack;

  constructor(stack: TestStack) {
    this.stack = stack;
  }

  /** A connection for each question: no question depends on what the last scenario did to the server. */
  async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    const connectionString = this.stack.postgres.adminUrl('holdfast');
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000, query_timeout: 20_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async count(text: string, values: unknown[] = []): Promise<number> {
    const [row] = await this.query<{ count: string }>(text, values);
    return Number(row?.count ?? 0);
  }

  /** Orders of these customers, by id. */
  async ordersOf(userIds: string[]): Promise<Set<string>> {
    const rows = await this.query<{ id: string }>('SELECT id FROM orders WHERE user_id = ANY ($1)', [
      userIds,
    ]);
    return new Set(rows.map(({ id }) => id));
  }

  /** Events announced for these customers. */
  async eventsOf(userIds: string[]): Promise<{ id: string; name: string; orderId: string }[]> {
    return this.query(
      `SELECT id, name, payload->>'orderId' AS "orderId" FROM outbox_events WHERE payload->>'userId' = ANY ($1)`,
      [userIds],
    );
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
   * Waits until every event of the outbox is handled by everybody it is for.
   * @returns how many are not when time is up, 0 when all are.
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

  /** Mails in the store, by the id of the event they tell of. */
  async mails(): Promise<Map<string, { to: string[]; subject: string }>> {
    const mails = await this.stack.sink.mails();
    return new Map(mails.map(({ messageId, ...mail }) => [messageId.slice(0, messageId.indexOf('@')), mail]));
  }

  /** Payments of these customers beside what the provider has on its books for them. */
  async payments(userIds: string[]): Promise<SettledPayment[]> {
    const [rows, { charges, timesCharged }] = await Promise.all([
      this.query<{ id: string; orderId: string; status: string }>(
        'SELECT id, order_id AS "orderId", status FROM payments WHERE user_id = ANY ($1)',
        [userIds],
      ),
      this.stack.sandbox.summary(),
    ]);
    const byKey = new Map(charges.map((charge) => [charge.idempotencyKey, charge.status]));
    return rows.map((row) => ({
      ...row,
      // What was never charged counts as declined in the end.
      provider: byKey.get(row.id) ?? 'declined',
      timesCharged: timesCharged[row.id] ?? 0,
    }));
  }
}

export interface SettledPayment {
  id: string;
  orderId: string;
  status: string;
  provider: string;
  timesCharged: number;
}
