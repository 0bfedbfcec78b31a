import type pg from 'pg';
import type { QueryRunner } from 'typeorm';
import type { IsolationLevel } from 'typeorm/driver/types/IsolationLevel.js';
import { located } from './database.errors.js';
import type { LentConnection, Statement } from './pooled-connection.js';

export type AfterCommit = () => void | Promise<void>;

/** What a unit of work can ask for when it is opened. */
export interface UnitTerms {
  /** Default: READ COMMITTED. */
  isolation?: IsolationLevel;
  readOnly?: boolean;
  /**
   * Whether `work` may be run again from its start, on another connection, when a migration or a failover has outdated this one
   * before COMMIT was sent: everything it did in the database is then rolled back. Default: true. Effects elsewhere would happen
   * twice; see `afterCommit`.
   */
  repeatable?: boolean;
}

/** A transaction under way, and the connection that it has. */
export interface OpenUnit {
  readonly terms: UnitTerms;
  readonly client: LentConnection;
  readonly afterCommit: AfterCommit[];
  /** It accepts no more statements. */
  closed: boolean;
  /** Savepoints around it. */
  readonly depth: number;
  /** The savepoint in which alone something may be done now. */
  savepoint?: OpenUnit;
  /** TypeORM's, created when first needed, which is not on hot paths. */
  runner?: QueryRunner;
  /** A query runner has begun a transaction in it: how many after-commit steps there were before. */
  begunAfter?: number;
}

/** Refuses what may not be done in a unit of work now. To be called where the statement is sent, with nothing awaited in between. */
export function requireOpen({ closed, savepoint }: OpenUnit): void {
  // A promise that nobody awaited goes on after the commit; on a connection that already serves somebody else it
  // would read and write in a stranger's transaction.
  if (closed) throw new Error('This unit of work has ended; await everything that was started in it');
  // A rollback to the savepoint would silently take back what was done beside it.
  if (savepoint)
    throw new Error(
      'A savepoint is open; await its end before doing anything else in this unit of work. A transaction inside a unit of work is a savepoint too',
    );
}

/** Refuses to commit what was not ended: its owner may have left it half done. */
export function requireComplete(unit: OpenUnit): void {
  requireOpen(unit);
  if (unit.begunAfter !== undefined)
    throw new Error(
      'A query runner has begun a transaction in this unit of work, and has neither committed it nor rolled it back',
    );
}

const LEVELS: (IsolationLevel | undefined)[] = ['REPEATABLE READ', 'SERIALIZABLE'];

/** Refuses to join a unit of work that has less than is asked for: its transaction has begun, and cannot be changed any more. */
export function requireTerms({ terms }: OpenUnit, { isolation, readOnly, repeatable }: UnitTerms): void {
  const missing = [
    LEVELS.indexOf(isolation) > LEVELS.indexOf(terms.isolation) && `isolation: '${isolation}'`,
    readOnly && !terms.readOnly && 'readOnly: true',
    repeatable === false && terms.repeatable !== false && 'repeatable: false',
  ].filter(Boolean);
  if (missing.length === 0) return;
  throw new Error(
    `This work would join a unit of work that lacks what it needs; open that one with ${missing.join(', ')}, or end it first`,
  );
}

/** Ends a unit of work for all that still goes on in it, also in its savepoints. */
export function close(unit: OpenUnit): void {
  for (let open: OpenUnit | undefined = unit; open; open = open.savepoint) open.closed = true;
}

/** Sends what begins or ends a transaction or a savepoint. */
export async function send({ client }: OpenUnit, statement: string | Statement): Promise<pg.QueryResult> {
  try {
    return await client.control(statement);
  } catch (error) {
    throw located(error);
  }
}
