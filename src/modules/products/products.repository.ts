import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database/index.js';

export interface ProductRow {
  id: string;
  name: string;
  description: string;
  priceAmount: number;
  currency: string;
  stock: number;
  version: number;
  updatedAt: Date;
}

/** How much of which product. */
export interface Quantity {
  productId: string;
  quantity: number;
}

/** A requested product: its remaining stock, and its new version when pieces were taken. */
export interface ReservationRow {
  id: string;
  name: string;
  priceAmount: number;
  currency: string;
  available: number;
  version: number | null;
}

const COLUMNS =
  'id, name, description, price_amount AS "priceAmount", currency, stock, version, updated_at AS "updatedAt"';

/**
 * Rows of several orders are locked in the order of their ids, or two orders could wait for each other. The lock returns the
 * newest values, whatever the statement's snapshot shows (PostgreSQL documentation, "Read Committed Isolation Level").
 */
const WANTED_AND_LOCKED = `
  wanted AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS w (id, quantity)),
  locked AS MATERIALIZED (
    SELECT p.id, p.name, p.price_amount, p.currency, p.stock, wanted.quantity
    FROM products p JOIN wanted ON wanted.id = p.id
    ORDER BY p.id
    FOR UPDATE OF p
  )`;

/** The hot paths: cached reads, and the stock of orders. */
@Injectable()
export class ProductsRepository {
  constructor(private readonly database: Database) {}

  /** From the primary: a cached value must not be older than the change that it reflects. */
  findById(id: string): Promise<ProductRow | undefined> {
    return this.database.queryOne({
      name: 'products-by-id',
      text: `SELECT ${COLUMNS} FROM products WHERE id = $1`,
      values: [id],
    });
  }

  /** Newest first; one row more than `limit` when there are more. */
  page(limit: number, before?: string): Promise<ProductRow[]> {
    return this.database.read(
      before === undefined
        ? {
            name: 'products-first-page',
            text: `SELECT ${COLUMNS} FROM products ORDER BY id DESC LIMIT $1`,
            values: [limit + 1],
          }
        : {
            name: 'products-next-page',
            text: `SELECT ${COLUMNS} FROM products WHERE id < $2 ORDER BY id DESC LIMIT $1`,
            values: [limit + 1, before],
          },
    );
  }

  /**
   * Reserves all the quantities, or, when there is not enough of one product, none.
   * @param wanted each product once
   * @returns one row for each product there is; those of unknown ids are missing.
   */
  reserve(wanted: Quantity[]): Promise<ReservationRow[]> {
    return this.database.query({
      name: 'products-reserve',
      text: `
        WITH ${WANTED_AND_LOCKED},
        verdict AS (SELECT count(*) FILTER (WHERE stock >= quantity) = cardinality($1::uuid[]) AS enough FROM locked),
        taken AS (
          UPDATE products p
          SET stock = p.stock - locked.quantity, version = p.version + 1, updated_at = now()
          FROM locked, verdict
          WHERE p.id = locked.id AND verdict.enough
          RETURNING p.id, p.version
        )
        SELECT locked.id, locked.name, locked.price_amount AS "priceAmount", locked.currency,
          locked.stock AS available, taken.version
        FROM locked LEFT JOIN taken ON taken.id = locked.id`,
      values: columnsOf(wanted),
    });
  }

  /**
   * Puts quantities back.
   * @param returned each product once
   */
  release(returned: Quantity[]): Promise<{ id: string; version: number }[]> {
    return this.database.query({
      name: 'products-release',
      text: `
        WITH ${WANTED_AND_LOCKED}
        UPDATE products p
        SET stock = p.stock + locked.quantity, version = p.version + 1, updated_at = now()
        FROM locked
        WHERE p.id = locked.id
        RETURNING p.id, p.version`,
      values: columnsOf(returned),
    });
  }
}

function columnsOf(quantities: Quantity[]): [string[], number[]] {
  return [quantities.map(({ productId }) => productId), quantities.map(({ quantity }) => quantity)];
}
