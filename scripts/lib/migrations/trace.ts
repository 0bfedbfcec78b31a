import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Finding } from './findings.ts';

/** The rule of a migration that cannot be applied to tables with rows. */
export const FAILS = 'fails';

export interface Trace {
  statements: string[];
  findings: Finding[];
}

interface Table {
  oid: number;
  name: string;
  /** Where its rows are: another one means that all were written anew. */
  file: string;
}

/** What the open transaction has done to a table. */
interface State extends Table {
  locks: string[];
  scans: number;
  written: number;
}

/** Nobody writes to the table while one of these is held; the last one keeps readers out as well. */
const STRONG = ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'];
/** As many as `inBatches` changes in a transaction. */
const ROWS_AT_ONCE = 1000;
/** They cannot run in a transaction, or are about one. */
const OUTSIDE = /\bCONCURRENTLY\b|^\s*(VACUUM|BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/i;

/**
 * Applies a migration, and asks PostgreSQL after each statement what it has locked, read and written of the tables that were
 * there before: the truth, where reading the words of a statement is a guess.
 * @param runner what it calls a transaction is one; the trace leaves none open
 */
export async function trace(runner: QueryRunner, migration: MigrationInterface): Promise<Trace> {
  const inTransaction = migration.transaction !== false;
  const statements: string[] = [];
  const findings = new Map<string, Finding>();
  const send = runner.query.bind(runner) as QueryRunner['query'];
  const before = new Map((await states(send)).map((state) => [state.oid, state]));
  /** What the transaction held before the statement. */
  let held = [...before.values()];
  const judge = async (): Promise<void> => {
    const now = (await states(send)).filter(({ oid }) => before.has(oid));
    for (const finding of judged(held, now)) findings.set(`${finding.rule} ${finding.message}`, finding);
    held = now;
  };

  const traced = async (text: string, values?: unknown[]): Promise<unknown> => {
    statements.push(text);
    if (inTransaction) {
      const result: unknown = await send(text, values);
      await judge();
      return result;
    }
    if (OUTSIDE.test(text)) return send(text, values);
    await send('BEGIN');
    held = (await states(send)).filter(({ oid }) => before.has(oid));
    const result: unknown = await send(text, values);
    await judge();
    await send('COMMIT');
    return result;
  };

  runner.query = traced as QueryRunner['query'];
  try {
    if (inTransaction) {
      await send('BEGIN');
      held = (await states(send)).filter(({ oid }) => before.has(oid));
    }
    await migration.up(runner);
    if (inTransaction) await send('COMMIT');
  } catch (error) {
    await send('ROLLBACK');
    findings.set(FAILS, {
      rule: FAILS,
      message: `It fails on tables with rows: ${(error as Error).message}`,
    });
  } finally {
    runner.query = send;
  }
  return { statements, findings: [...findings.values()] };
}

function* judged(held: readonly State[], now: readonly State[]): Generator<Finding> {
  const earlier = new Map(held.map((state) => [state.oid, state]));
  const lockedBefore = held.filter(({ locks }) => locks.length > 0);
  for (const state of now) {
    const { oid, name, locks, file } = state;
    const was = earlier.get(oid);
    if (!was) continue;
    const lock = locks.at(-1);
    const waits = lock === 'AccessExclusiveLock' ? 'reads and writes wait' : 'writes wait';
    const read = state.scans > was.scans;
    const written = state.written - was.written;
    if (file !== was.file)
      yield {
        rule: 'rewrites-table',
        message: `All rows of ${name} are written anew while ${waits}. Add a column, fill it in batches, and change over.`,
      };
    else if (lock !== undefined && read)
      yield {
        rule: 'reads-all-rows-under-lock',
        message: `All rows of ${name} are read while ${waits} (${lock}). Use buildIndex, or NOT VALID and a VALIDATE in the next migration.`,
      };
    if (written > ROWS_AT_ONCE)
      yield {
        rule: 'writes-many-rows-at-once',
        message: `${written} rows of ${name} are written, and stay locked, in one transaction. Use inBatches.`,
      };
    for (const other of lockedBefore)
      if ((read || written > 0) && other.oid !== oid)
        yield {
          rule: 'works-under-lock',
          message: `Rows of ${name} are read or written while a lock on ${other.name} is held. Make it another migration.`,
        };
    if (lock === 'AccessExclusiveLock' && was.locks.length === 0)
      for (const other of lockedBefore)
        if (other.oid !== oid && other.locks.includes('AccessExclusiveLock'))
          yield {
            rule: 'locks-second-table',
            message: `${name} is locked after ${other.name}: a request that uses both in the other order is a deadlock. Make it another migration.`,
          };
    if (was.locks.length > 0 && written > 0)
      yield {
        rule: 'works-under-lock',
        message: `Rows of ${name} are written while an earlier statement's lock on it is held. Make it another migration.`,
      };
  }
}

/** Of every table, what this transaction has locked, scanned and written so far. */
async function states(send: QueryRunner['query']): Promise<State[]> {
  return (await send(
    `SELECT c.oid::int AS oid, c.relname AS name, c.relfilenode::text AS file,
       coalesce(s.seq_scan, 0)::int AS scans, coalesce(s.n_tup_upd + s.n_tup_del, 0)::int AS written,
       coalesce((SELECT array_agg(l.mode ORDER BY array_position($1::text[], l.mode)) FROM pg_locks l
         WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.pid = pg_backend_pid() AND l.granted
           AND l.mode = ANY ($1)), '{}') AS locks
     FROM pg_class c LEFT JOIN pg_stat_xact_user_tables s ON s.relid = c.oid
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'migrations' ORDER BY c.oid`,
    [STRONG],
  )) as unknown as State[];
}
