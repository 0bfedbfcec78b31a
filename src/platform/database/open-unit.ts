import type pg from 'pg';
import type { QueryRunner } from 'typeorm';
import { located } from './database.errors.js';
import type { LentConnection } from './pooled-connection.js';

export type AfterCommit = () => void | Promise<void>;

/** A transaction under way, and the connection that it has. */
export interface OpenUnit {
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
}

/** Refuses what may not be done in a unit of work now. To be called where the statement is sent, with nothing awaited in between. */
export function requireOpen({ closed, savepoint }: OpenUnit): void {
  // A promise that nobody awaited goes on after the commit; on a connection that already serves somebody else it
  // would read and write in a stranger's transaction.
  if (closed) throw new Error('This unit of work has ended; await everything that is started inside it');
  // A rollback to the savepoint would silently take back what was done beside it.
  if (savepoint)
    throw new Error(
      'A savepoint is open; await its end before anything else is done in this unit of work. A transaction in a unit of work is one, too',
    );
}

/** Ends a unit of work for all that still goes on in it, also in its savepoints. */
export function close(unit: OpenUnit): void {
  for (let open: OpenUnit | undefined = unit; open; open = open.savepoint) open.closed = true;
}

/** Sends what begins or ends a transaction or a savepoint. */
export async function send({ client }: OpenUnit, text: string): Promise<pg.QueryResult> {
  try {
    return await client.control(text);
  } catch (error) {
    throw located(error);
  }
}
