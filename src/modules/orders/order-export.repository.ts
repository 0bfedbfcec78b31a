import { Injectable } from '@nestjs/common';
import { ConnectionPool, streamRows } from '../../platform/database/index.js';
import type { OrderStatus } from './order-status.js';

export interface OrderExportFilter {
  /** Only this customer's. */
  userId?: string;
  /** Created at this time or later. */
  from?: Date;
  /** Created before this time. */
  to?: Date;
}

export interface OrderExportRow {
  orderId: string;
  userId: string;
  status: OrderStatus;
  itemCount: number;
  /** Minor units. */
  totalAmount: number;
  currency: string;
  createdAt: Date;
}

const CONDITION = `($1::uuid IS NULL OR user_id = $1)
  AND ($2::timestamptz IS NULL OR created_at >= $2)
  AND ($3::timestamptz IS NULL OR created_at < $3)`;

/** Orders in large numbers, for exports: in the worker, never on the path of a request. */
@Injectable()
export class OrderExportRepository {
  constructor(private readonly pool: ConnectionPool) {}

  /** Rows in the order in which they were placed, `batchSize` at a time, all as of one moment. */
  rows(filter: OrderExportFilter, batchSize: number): AsyncGenerator<OrderExportRow[], void, undefined> {
    return streamRows<OrderExportRow>(this.pool, exportStatement(filter), batchSize);
  }

  /** How many rows `rows` would return at this moment. */
  async count(filter: OrderExportFilter): Promise<number> {
    const statement = { text: `SELECT count(*) FROM orders WHERE ${CONDITION}`, values: valuesOf(filter) };
    for await (const [row] of streamRows<{ count: number }>(this.pool, statement, 1)) return row?.count ?? 0;
    return 0;
  }
}

/** Its plan must not sort: the first row has to come at once, whatever the number of rows. */
export function exportStatement(filter: OrderExportFilter): { text: string; values: unknown[] } {
  return {
    text: `SELECT id AS "orderId", user_id AS "userId", status, item_count AS "itemCount",
             total_amount AS "totalAmount", currency, created_at AS "createdAt"
           FROM orders WHERE ${CONDITION} ORDER BY id`,
    values: valuesOf(filter),
  };
}

function valuesOf({ userId, from, to }: OrderExportFilter): unknown[] {
  return [userId ?? null, from ?? null, to ?? null];
}
