import type { QueryRunner } from 'typeorm';
import type { LentConnection } from './pooled-connection.js';

export type AfterCommit = () => void | Promise<void>;

/** A transaction under way, and the connection that it has. */
export interface OpenUnit {
  readonly client: LentConnection;
  readonly afterCommit: AfterCommit[];
  /** Nothing may be done in it any more. */
  closed: boolean;
  /** The savepoint in which alone something may be done now. */
  savepoint?: OpenUnit;
  /** TypeORM's, made when it is first needed, which is not on hot paths. */
  runner?: QueryRunner;
}
