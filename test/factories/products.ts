import { newId } from '../../src/platform/database/index.js';

/** @returns the id of a product */
export async function newProduct(
  api: { sql(text: string, values: unknown[]): Promise<unknown> },
  {
    stock = 100,
    amount = 1990,
    currency = 'EUR',
  }: { stock?: number; amount?: number; currency?: string } = {},
): Promise<string> {
  const id = newId();
  await api.sql(
    `INSERT INTO products (id, name, description, price_amount, currency, stock) VALUES ($1, 'Chair', '', $2, $3, $4)`,
    [id, amount, currency, stock],
  );
  return id;
}
