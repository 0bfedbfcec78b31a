import type { ConnectionPool } from './connection-pool.js';
import { translateDatabaseError } from './database.errors.js';
import { close, requireComplete, send, type OpenUnit } from './open-unit.js';

/**
 * Runs `work` in a savepoint of the open unit of work. Until it has ended nothing else may be done in that unit.
 * @throws what `work` throws, once what it did in the database is rolled back
 */
export async function savepoint<T>(
  units: ConnectionPool['units'],
  unit: OpenUnit,
  work: () => Promise<T>,
): Promise<T> {
  const { terms, client, afterCommit } = unit;
  const inner: OpenUnit = { terms, client, afterCommit, closed: false, depth: unit.depth + 1 };
  const name = `attempt_${inner.depth}`;
  const announced = afterCommit.length;
  // Not only when SAVEPOINT is answered: what is sent after it is in it.
  unit.savepoint = inner;
  try {
    await send(unit, `SAVEPOINT ${name}`);
    try {
      const result = await units.run(inner, work);
      requireComplete(inner);
      inner.closed = true;
      await send(unit, `RELEASE SAVEPOINT ${name}`);
      return result;
    } catch (error) {
      // A unit of work that has ended meanwhile has ended this too. A connection that must not be reused may still commit.
      if (!unit.closed) {
        close(inner);
        afterCommit.length = announced;
        await send(unit, `ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`);
      }
      throw error;
    }
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    close(inner);
    unit.savepoint = undefined;
  }
}
