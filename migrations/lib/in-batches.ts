import { setTimeout as delay } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';

export interface Backfill {
  table: string;
  /** Its primary key, one column. Default: `id`. */
  key?: string;
  /** What becomes of a row: `full_name = name`. */
  set: string;
  /** The rows that are still to be changed: `full_name IS NULL`. `set` makes it false; an interrupted run is resumed by it. */
  where: string;
  batch?: number;
}

/** Rows per transaction: so few that a request never waits long for one of them. */
const BATCH = 1000;
const SHORTEST_REST_MS = 10;

/**
 * Changes the rows of a table that is in use, batch by batch, each in its own transaction, and rests after each for as long as it took.
 * A row that a request has locked is left for the next pass: neither waits for the other, and they cannot deadlock. Run it again
 * after an interruption, and it goes on with the rows that are left. For migrations with `transaction = false`.
 * @returns how many rows were changed
 */
export async function inBatches(runner: QueryRunner, backfill: Backfill): Promise<number> {
  if (runner.isTransactionActive)
    throw new Error(
      'A backfill needs `transaction = false`: one transaction would lock all rows until its end',
    );
  const { table, key = 'id', set, where, batch = BATCH } = backfill;
  const change = (further: string): string => `
    WITH batch AS (
      SELECT ${key} FROM ${table} WHERE (${where}) ${further} ORDER BY ${key} LIMIT ${batch} FOR UPDATE SKIP LOCKED
    ), changed AS (
      UPDATE ${table} SET ${set} FROM batch WHERE ${table}.${key} = batch.${key}
    )
    SELECT ${key} AS last, (SELECT count(*)::int FROM batch) AS rows FROM batch ORDER BY ${key} DESC LIMIT 1`;
  const isLeft = async (): Promise<boolean> =>
    ((await runner.query(`SELECT FROM ${table} WHERE ${where} LIMIT 1`)) as unknown[]).length > 0;

  let changed = 0;
  while (await isLeft()) {
    let last: unknown;
    for (let rows = batch; rows === batch;) {
      const startedAt = performance.now();
      const [end] = (await runner.query(
        change(last === undefined ? '' : `AND ${key} > $1`),
        last === undefined ? [] : [last],
      )) as { last: unknown; rows: number }[];
      rows = end?.rows ?? 0;
      last = end?.last;
      changed += rows;
      await delay(Math.max(SHORTEST_REST_MS, performance.now() - startedAt));
    }
  }
  return changed;
}
