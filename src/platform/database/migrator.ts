import { DataSource } from 'typeorm';
import type { DatabaseSettings } from '../../config/sections/database.settings.js';
import { dataSourceOptions } from './data-source.js';

/** Any number, but the same in every replica: the advisory lock that serialises migrations. */
const MIGRATION_LOCK = 7_305_041;

export interface MigrationState {
  name: string;
  applied: boolean;
}

/** Runs and lists migrations on a connection of its own, without the timeouts that bound requests. */
export class Migrator {
  private constructor(private readonly dataSource: DataSource) {}

  /** Opens the connection; `close` it. */
  static async open(settings: DatabaseSettings): Promise<Migrator> {
    const options = dataSourceOptions(settings, 'holdfast-migrate');
    const dataSource = new DataSource({
      ...options,
      extra: { max: 2, connectionTimeoutMillis: 10_000, lock_timeout: 60_000 },
    } as typeof options);
    await dataSource.initialize();
    return new Migrator(dataSource);
  }

  /**
   * Runs what is pending, one transaction per migration, while holding a session-level advisory lock: a second
   * migrator waits for the first and then finds nothing to do.
   * @returns the names of the migrations that this call ran.
   */
  async migrate(): Promise<string[]> {
    return this.locked(async () => {
      const ran = await this.dataSource.runMigrations({ transaction: 'each' });
      return ran.map(({ name }) => name);
    });
  }

  /** Reverts the newest applied migration. */
  async revert(): Promise<void> {
    await this.locked(() => this.dataSource.undoLastMigration({ transaction: 'each' }));
  }

  /** All known migrations in order, applied or not. */
  async status(): Promise<MigrationState[]> {
    const known = this.dataSource.migrations.map((migration) => migration.name ?? migration.constructor.name);
    const [{ present }] = await this.dataSource.query<[{ present: boolean }]>(
      "SELECT to_regclass('migrations') IS NOT NULL AS present",
    );
    const rows = present
      ? await this.dataSource.query<{ name: string }[]>('SELECT name FROM migrations')
      : [];
    const applied = new Set(rows.map(({ name }) => name));
    return known.map((name) => ({ name, applied: applied.has(name) }));
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
  }

  private async locked<T>(work: () => Promise<T>): Promise<T> {
    const lock = this.dataSource.createQueryRunner();
    try {
      await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      return await work();
    } finally {
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      await lock.release();
    }
  }
}
