import type { QueryRunner } from 'typeorm';
import type { LentConnection } from './pooled-connection.js';

export type AfterCommit = () => void | Promise<void>;

/** A transaction under way, and the connection that it has. */
export interface OpenUnit {
  readonly client: LentConnection;
  readonly afterCommit: AfterCommit[];
  /** It accepts no more statements. */
  closed: boolean;
  /** The savepoint that alone may run statements now. */
  savepoint?: OpenUnit;
  /** TypeORM's, created when first needed, which is not on hot paths. */
  runner?: QueryRunner;
}
