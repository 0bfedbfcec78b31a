import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/index.js';
import type { OrderItem } from './order-item.entity.js';
import type { OrderStatus } from './order-status.js';
import type { Order } from './order.entity.js';

export interface NewOrder extends Pick<Order, 'id' | 'userId' | 'totalAmount' | 'currency'> {
  items: Pick<OrderItem, 'productId' | 'name' | 'quantity' | 'unitPrice'>[];
}

export type OrderRow = NewOrder & Pick<Order, 'status' | 'createdAt' | 'updatedAt'>;

/** The data for a decision about an order, read while its row is locked. */
export type LockedOrder = OrderRow & Pick<Order, 'paymentId'>;

const ITEMS = `(SELECT json_agg(json_build_object('productId', i.product_id, 'name', i.name,
    'quantity', i.quantity, 'unitPrice', i.unit_price) ORDER BY i.line)
  FROM order_items i WHERE i.order_id = o.id) AS items`;
const COLUMNS = `o.id, o.user_id AS "userId", o.status, o.total_amount AS "totalAmount", o.currency,
  o.created_at AS "createdAt", o.updated_at AS "updatedAt", ${ITEMS}`;

/** The id after all others: the start of a list that shows the newest first. */
const AFTER_ALL_IDS = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Orders with their items, each in one round trip: the items of an order come as JSON in its row. */
@Injectable()
export class OrdersRepository {
  constructor(private readonly database: Database) {}

  /** Inserts an order with its items. @returns when it was created */
  async insert({ id, userId, totalAmount, currency, items }: NewOrder): Promise<Date> {
    const row = await this.database.queryOne<Pick<Order, 'createdAt'>>({
      name: 'orders-insert',
      text: `WITH lines AS (
               INSERT INTO order_items (order_id, line, product_id, name, quantity, unit_price)
               SELECT $1, line, product_id, name, quantity, unit_price
               FROM unnest($6::uuid[], $7::text[], $8::integer[], $9::bigint[])
                 WITH ORDINALITY AS item (product_id, name, quantity, unit_price, line))
             INSERT INTO orders (id, user_id, status, total_amount, currency, item_count)
             VALUES ($1, $2, 'pending', $3, $4, $5)
             RETURNING created_at AS "createdAt"`,
      values: [
        id,
        userId,
        totalAmount,
        currency,
        items.length,
        items.map(({ productId }) => productId),
        items.map(({ name }) => name),
        items.map(({ quantity }) => quantity),
        items.map(({ unitPrice }) => unitPrice),
      ],
    });
    return row!.createdAt;
  }

  findById(id: string): Promise<OrderRow | undefined> {
    return this.database.queryOne<OrderRow>({
      name: 'orders-by-id',
      text: `SELECT ${COLUMNS} FROM orders o WHERE o.id = $1`,
      values: [id],
    });
  }

  /** Locks an order for the rest of the unit of work. */
  lock(id: string): Promise<LockedOrder | undefined> {
    return this.database.queryOne<LockedOrder>({
      name: 'orders-lock',
      text: `SELECT o.payment_id AS "paymentId", ${COLUMNS} FROM orders o WHERE o.id = $1 FOR UPDATE OF o`,
      values: [id],
    });
  }

  /**
   * Up to `limit` orders of one customer before `beforeId`, newest first.
   *
   * Written as a range of (user, id) and not as `user_id = $1 ORDER BY id`: where few customers have most of the orders, the
   * planner would walk the primary key backwards for that and discard all other customers' orders, a million of them at worst.
   */
  pageOfUser(userId: string, limit: number, beforeId = AFTER_ALL_IDS): Promise<OrderRow[]> {
    return this.database.query<OrderRow>({
      name: 'orders-of-user',
      text: `SELECT ${COLUMNS} FROM orders o
             WHERE (o.user_id, o.id) < ($1, $2) AND o.user_id >= $1
             ORDER BY o.user_id DESC, o.id DESC LIMIT $3`,
      values: [userId, beforeId, limit],
    });
  }

  /** Up to `limit` orders of all customers before `beforeId`, newest first. */
  page(limit: number, beforeId = AFTER_ALL_IDS): Promise<OrderRow[]> {
    return this.database.read<OrderRow>({
      name: 'orders-of-all',
      text: `SELECT ${COLUMNS} FROM orders o WHERE o.id < $1 ORDER BY o.id DESC LIMIT $2`,
      values: [beforeId, limit],
    });
  }

  /** @returns when it was changed */
  async setStatus(id: string, status: OrderStatus): Promise<Date> {
    const row = await this.database.queryOne<Pick<Order, 'updatedAt'>>({
      name: 'orders-set-status',
      text: 'UPDATE orders SET status = $2, updated_at = now() WHERE id = $1 RETURNING updated_at AS "updatedAt"',
      values: [id, status],
    });
    return row!.updatedAt;
  }

  /** Sets the open payment of an order; null when there is none any more. */
  async setPayment(id: string, paymentId: string | null): Promise<void> {
    await this.database.execute({
      name: 'orders-set-payment',
      text: 'UPDATE orders SET payment_id = $2 WHERE id = $1',
      values: [id, paymentId],
    });
  }
}
