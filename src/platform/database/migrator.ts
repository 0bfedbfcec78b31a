import { setTimeout as delay } from 'node:timers/promises';
import { DataSource, MigrationExecutor, type DataSourceOptions, type QueryRunner } from 'typeorm';
import type { DatabaseSettings } from '../../config/sections/database.settings.js';
import { ConnectionPool } from './connection-pool.js';
import { addressOf, dataSourceOptions } from './data-source.js';

/** Any number, but the same in every replica: the advisory lock that serialises migrations. */
const MIGRATION_LOCK = 7_305_041;
/** How often a migrator checks whether the running one has ended, and how often it reports that it waits. */
const POLL_MS = 250;
const REPORT_EVERY_MS = 10_000;
/**
 * How long an ALTER may wait for its lock: every statement on that table queues up behind it meanwhile, although it waits for no
 * more than one long read.
 */
const LOCK_TIMEOUT_MS = 2000;
/** Pause between two attempts, more or less: queued statements are served, and the long read may end. */
const RETRY_MS = 2000;
const ATTEMPTS = 60;
/** SQLSTATE lock_not_available. */
const LOCK_NOT_AVAILABLE = '55P03';

export interface MigrationState {
  name: string;
  applied: boolean;
  /** False for a migration that another release has applied: this one has no code for it. */
  known: boolean;
}

/** Receives a line about the progress. */
export type Report = (line: string) => void;

/** Runs and lists migrations on a connection of its own, without the timeouts that bound requests. */
export class Migrator {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly report: Report,
  ) {}

  /**
   * Opens the connection; `close` it.
   * @param migrations instead of the product's
   */
  static async open(
    settings: DatabaseSettings,
    report: Report = () => undefined,
    migrations?: DataSourceOptions['migrations'],
  ): Promise<Migrator> {
    const pool = new ConnectionPool({
      ...addressOf(settings, settings.url),
      application_name: `${settings.applicationName}-migrate`,
      max: 2,
      connectionTimeoutMillis: 10_000,
      lock_timeout: LOCK_TIMEOUT_MS,
    });
    const dataSource = new DataSource({
      ...dataSourceOptions(settings, pool),
      ...(migrations && { migrations }),
    });
    await dataSource.initialize();
    return new Migrator(dataSource, report);
  }

  /**
   * Runs pending migrations, one transaction each, while holding a session-level advisory lock: a second migrator waits for the
   * first and then finds nothing to do.
   * @returns the names of the migrations that this call ran.
   */
  async migrate(): Promise<string[]> {
    return this.alone(async (executor) => {
      const before = await this.appliedNames();
      await this.patiently(() => executor.executePendingMigrations());
      return (await this.appliedNames()).filter((name) => !before.includes(name));
    });
  }

  /** Reverts the newest applied migration. @returns its name, or undefined when none is applied */
  async revert(): Promise<string | undefined> {
    return this.alone(async (executor) => {
      const before = await this.appliedNames();
      const newest = before.at(-1);
      if (newest === undefined) return undefined;
      // A migration that runs outside of a transaction is reverted outside of one; TypeORM asks only how it is applied.
      const migration = this.dataSource.migrations.find(
        ({ name, constructor }) => (name ?? constructor.name) === newest,
      );
      if (migration?.transaction === false) executor.transaction = 'none';
      await this.patiently(() => executor.undoLastMigration());
      return newest;
    });
  }

  /** All known migrations in order, applied or not; then those that are applied and not known. */
  async status(): Promise<MigrationState[]> {
    const known = this.dataSource.migrations.map((migration) => migration.name ?? migration.constructor.name);
    const applied = await this.appliedNames();
    return [
      ...known.map((name) => ({ name, applied: applied.includes(name), known: true })),
      ...applied
        .filter((name) => !known.includes(name))
        .map((name) => ({ name, applied: true, known: false })),
    ];
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
  }

  private async appliedNames(): Promise<string[]> {
    const [{ present }] = await this.dataSource.query<[{ present: boolean }]>(
      "SELECT to_regclass('migrations') IS NOT NULL AS present",
    );
    if (!present) return [];
    const rows = await this.patiently(() =>
      this.dataSource.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id'),
    );
    return rows.map(({ name }) => name);
  }

  /**
   * Runs `work` as the only migrator. The lock is polled for: waiting in `pg_advisory_lock` holds a snapshot, for which a
   * `CREATE INDEX CONCURRENTLY` of the running migrator would wait in turn. The work is done on the connection that holds the
   * lock: if it is lost, the work is lost with it, and cannot continue beside another migrator's.
   */
  private async alone<T>(work: (executor: MigrationExecutor) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await this.lock(runner);
      const executor = new MigrationExecutor(this.dataSource, runner);
      executor.transaction = 'each';
      return await work(executor);
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      await runner.release();
    }
  }

  private async lock(runner: QueryRunner): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      const rows = (await runner.query('SELECT pg_try_advisory_lock($1) AS locked', [
        MIGRATION_LOCK,
      ])) as unknown as { locked: boolean }[];
      if (rows[0]?.locked) return;
      if (waitedMs % REPORT_EVERY_MS === 0) this.report('Another migration is running; waiting for it.');
      await delay(POLL_MS);
    }
  }

  /** Retries a migration that did not get a lock in time; earlier ones are kept, because each is its own transaction. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== LOCK_NOT_AVAILABLE || attempt === ATTEMPTS) throw error;
        const waitMs = Math.round(RETRY_MS * (0.5 + Math.random()));
        this.report(
          `A table is in use and could not be locked within ${LOCK_TIMEOUT_MS} ms (attempt ${attempt} of ${ATTEMPTS}); ` +
            `retrying in ${waitMs} ms.`,
        );
        await delay(waitMs);
      }
    }
  }
}
