/**
 * The product's statements, copied from its repositories; `assertSame` lets PostgreSQL check that they are the same. Change them
 * here whenever they change there.
 */
const ITEMS = `(SELECT json_agg(json_build_object('productId', i.product_id, 'name', i.name,
    'quantity', i.quantity, 'unitPrice', i.unit_price) ORDER BY i.line)
  FROM order_items i WHERE i.order_id = o.id) AS items`;
const ORDER = `o.id, o.user_id AS "userId", o.status, o.total_amount AS "totalAmount", o.currency,
  o.created_at AS "createdAt", o.updated_at AS "updatedAt", ${ITEMS}`;

export const orderById = {
  name: 'order-by-id',
  text: `SELECT ${ORDER} FROM orders o WHERE o.id = $1`,
};

export const ordersOfUser = {
  name: 'orders-of-user',
  text: `SELECT ${ORDER} FROM orders o
         WHERE (o.user_id, o.id) < ($1, $2) AND o.user_id >= $1
         ORDER BY o.user_id DESC, o.id DESC LIMIT $3`,
};

export const productById = {
  name: 'product-by-id',
  text: `SELECT id, name, description, price_amount AS "priceAmount", currency, stock, version,
           updated_at AS "updatedAt" FROM products WHERE id = $1`,
};

export const lockKey = {
  name: 'lock-key',
  text: 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked',
};

export const findKey = {
  name: 'find-key',
  text: `SELECT fingerprint, status, headers, body, reference, locked_until AS "lockedUntil",
           coalesce(locked_until > now(), false) AS locked
         FROM idempotency_records WHERE scope = $1 AND key = $2 AND expires_at > now()`,
};

export const reserve = {
  name: 'reserve',
  text: `
    WITH wanted AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS w (id, quantity)),
    locked AS MATERIALIZED (
      SELECT p.id, p.name, p.price_amount, p.currency, p.stock, wanted.quantity
      FROM products p JOIN wanted ON wanted.id = p.id
      ORDER BY p.id
      FOR UPDATE OF p
    ),
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
};

export const insertOrder = {
  name: 'insert-order',
  text: `WITH lines AS (
           INSERT INTO order_items (order_id, line, product_id, name, quantity, unit_price)
           SELECT $1, line, product_id, name, quantity, unit_price
           FROM unnest($6::uuid[], $7::text[], $8::integer[], $9::bigint[])
             WITH ORDINALITY AS item (product_id, name, quantity, unit_price, line))
         INSERT INTO orders (id, user_id, status, total_amount, currency, item_count)
         VALUES ($1, $2, 'pending', $3, $4, $5)
         RETURNING created_at AS "createdAt"`,
};

export const announce = {
  name: 'announce',
  text: `INSERT INTO outbox_events (id, name, consumers, payload, key, request_id, trace_context)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
};

export const recordAnswer = {
  name: 'record-answer',
  text: `INSERT INTO idempotency_records (scope, key, fingerprint, status, headers, body, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(hours => $7))
         ON CONFLICT (scope, key) DO UPDATE SET
           fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
           body = excluded.body, reference = NULL, locked_until = NULL,
           created_at = excluded.created_at, expires_at = excluded.expires_at`,
};
