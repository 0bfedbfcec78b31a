import { spawn } from 'node:child_process';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../local/servers/ports.ts';
import { repositoryRoot } from '../../local/servers/paths.ts';
import { startTestStack, type TestStack } from '../../local/stack.ts';
import { waitFor } from '../../local/wait-for.ts';

let stack: TestStack;
let database: pg.Client;

beforeAll(async () => {
  stack = await startTestStack();
  database = new pg.Client({ connectionString: stack.postgres.url() });
  await database.connect();
});

afterAll(async () => {
  await database?.end();
  await stack?.stop();
});

async function bury(letters: number): Promise<void> {
  await database.query('TRUNCATE dead_letters, outbox_events, inbox');
  await database.query(
    `INSERT INTO dead_letters (id, event_id, consumer, name, payload, occurred_at, reason, attempts)
     SELECT uuidv7(), uuidv7(), 'post', 'parcel.sent', '{}', now(), repeat('reason ', 20), 12
     FROM generate_series(1, $1)`,
    [letters],
  );
}

interface Outcome {
  stdout: string;
  stderr: string;
  /** Of the command, and of what reads it. */
  codes: string;
}

/** Runs a command of the product in a pipe, in a shell. */
async function piped(command: string, reader: string, env: Record<string, string> = {}): Promise<Outcome> {
  const cli = `"${process.execPath}" "${join(repositoryRoot, 'dist/cli.js')}"`;
  const script = `${cli} ${command} | ${reader}; echo "\${PIPESTATUS[0]} \${PIPESTATUS[1]}" >&3`;
  const { PATH, HOME } = process.env;
  const child = spawn('bash', ['-c', script], {
    env: { PATH, HOME, ...stack.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const outcome: Outcome = { stdout: '', stderr: '', codes: '' };
  const streams = { 1: 'stdout', 2: 'stderr', 3: 'codes' } as const;
  for (const [index, name] of Object.entries(streams))
    child.stdio[Number(index) as 1]?.on('data', (data: Buffer) => (outcome[name] += data.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  return { ...outcome, codes: outcome.codes.trim() };
}

describe('What a command prints', () => {
  it('arrives completely, even with a slow reader', async () => {
    await bury(2001);
    const { stdout, codes } = await piped('dead-letter list --limit 5000', '(sleep 2; cat)');

    expect(stdout.trim().split('\n')).toHaveLength(2002);
    expect(stdout).toContain('2001 dead letter(s).');
    expect(codes).toBe('0 0');
  });

  it('may be left unread: the command exits quietly', async () => {
    await bury(20_000);
    const { stdout, stderr, codes } = await piped('dead-letter list --limit 20000', 'head -n 1');

    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect([stderr, codes]).toEqual(['', '0 0']);
  });

  it('is only its result; logs go to standard error', async () => {
    await bury(1);
    const env = { REDIS_URL: `redis://127.0.0.1:${await freePort()}`, LOG_LEVEL: 'debug' };
    const { stdout, stderr } = await piped('dead-letter list', 'cat', env);

    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(stdout).not.toContain('"level"');
    expect(stderr).toContain('"level":"warn"');
  });
});

describe('dead-letter replay --all', () => {
  it('puts back large numbers in batches, and reports its progress', async () => {
    await bury(60_000);
    const { code, stdout, stderr } = await stack.cli(['dead-letter', 'replay', '--all'], {
      DATABASE_STATEMENT_TIMEOUT_MS: '1000',
    });

    expect([code, stdout]).toEqual([0, '60000 dead letter(s) put back.\n']);
    expect(stderr).toContain('1000 of 60000 put back\n');
    const { rows } = await database.query<{ waiting: number }>(
      'SELECT count(*)::int AS waiting FROM outbox_events WHERE relayed_at IS NULL',
    );
    expect(rows).toEqual([{ waiting: 60_000 }]);
  });
});

describe('migrate', () => {
  it('does not block the product behind a long read: it releases its lock after two seconds, reports it, and retries', async () => {
    const reader = new pg.Client({ connectionString: stack.postgres.url() });
    await reader.connect();
    try {
      // Back to before one that alters a table.
      let reverted = 0;
      for (let name = ''; !name.includes('OutboxTraceContext'); reverted += 1)
        name = (await stack.cli(['migrate:revert'])).stdout;
      // Every table that a migration could alter.
      await reader.query('BEGIN');
      const { rows } = await reader.query<{ tables: string }>(
        `SELECT string_agg(format('%I', relname), ', ') AS tables FROM pg_class
         WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migrations'`,
      );
      await reader.query(`LOCK TABLE ${rows[0]?.tables} IN ACCESS SHARE MODE`);
      const migrating = stack.cli(['migrate']);
      let longestMs = 0;
      await waitFor(() => waiting('holdfast-migrate'), { within: 60_000, what: 'a migration that waits' });
      await waitFor(
        async () => {
          const startedAt = performance.now();
          await database.query(
            `SELECT 1 FROM ${rows[0]?.tables.split(', ').join(' LIMIT 1; SELECT 1 FROM ')} LIMIT 1`,
          );
          longestMs = Math.max(longestMs, performance.now() - startedAt);
          return !(await waiting('holdfast-migrate'));
        },
        { within: 60_000, what: 'a migration that lets go' },
      );
      // Two seconds, and what a busy machine adds. Without the limit it is until the reader is done, which waits for this.
      expect(longestMs).toBeLessThan(10_000);
      await reader.query('COMMIT');

      const { code, stdout, stderr } = await migrating;
      expect([code, stdout]).toEqual([0, expect.stringContaining(`${reverted} migration(s) applied.`)]);
      expect(stderr).toContain('could not be locked within 2000 ms (attempt 1 of 60)');
    } finally {
      await reader.end();
    }
  });

  async function waiting(application: string): Promise<boolean> {
    const { rows } = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
      [application],
    );
    return rows.length > 0;
  }
});

describe('migrate:status and migrate:revert', () => {
  it('report a migration unknown to this release: exit 1', async () => {
    await database.query(
      `INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'FromTheFuture9999999999999')`,
    );
    try {
      const status = await stack.cli(['migrate:status']);
      expect([status.code, status.stdout]).toEqual([
        1,
        expect.stringContaining('applied  FromTheFuture9999999999999  (unknown to this release)'),
      ]);
      const revert = await stack.cli(['migrate:revert']);
      expect([revert.code, revert.stderr]).toEqual([
        1,
        expect.stringContaining('FromTheFuture9999999999999'),
      ]);
    } finally {
      await database.query(`DELETE FROM migrations WHERE name LIKE 'FromTheFuture%'`);
    }
    expect((await stack.cli(['migrate:status'])).code).toBe(0);
  });

  it('report that there is nothing to revert in an empty schema, and leave it empty: exit 1', async () => {
    await database.query('CREATE DATABASE empty');
    const env = { DATABASE_URL: stack.postgres.url('empty') };
    const revert = await stack.cli(['migrate:revert'], env);

    expect([revert.code, revert.stdout]).toEqual([
      1,
      'No migration is applied; there is nothing to revert.\n',
    ]);
    const { code, stdout } = await stack.cli(['migrate:status'], env);
    expect([code, stdout]).toEqual([1, expect.not.stringContaining('applied')]);
  });
});

describe('migrate:status --wait', () => {
  it('ends as soon as another process has migrated, whatever other releases have applied', async () => {
    await database.query('CREATE DATABASE waits');
    const env = { DATABASE_URL: stack.postgres.url('waits') };
    let ended = false;
    const waits = stack.cli(['migrate:status', '--wait', '200'], env).finally(() => (ended = true));
    // Each check has its own connection: one that was there and is gone has found what is pending.
    let begun = false;
    await waitFor(
      async () => {
        const { rows } = await database.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = 'waits' AND application_name = 'holdfast-migrate'`,
        );
        begun ||= rows.length > 0;
        return begun && rows.length === 0;
      },
      { within: 60_000, every: 1, what: 'the first check' },
    );
    expect(ended).toBe(false);

    expect((await stack.cli(['migrate'], env)).code).toBe(0);
    const { code, stdout, stderr } = await waits;
    expect([code, stdout]).toEqual([0, 'No migration is pending.\n']);
    expect(stderr).toMatch(/^Waiting for \d+ pending migration\(s\), the first is \w+\.\n/);

    const migrated = new pg.Client({ connectionString: stack.postgres.url('waits') });
    await migrated.connect();
    await migrated.query(
      `INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'FromTheFuture9999999999999')`,
    );
    await migrated.end();
    expect((await stack.cli(['migrate:status', '--wait', '1'], env)).code).toBe(0);
  });

  it('waits for PostgreSQL too', async () => {
    const env = { DATABASE_URL: `postgresql://nobody:nothing-to-see@127.0.0.1:${await freePort()}/none` };
    const { code, stderr } = await stack.cli(['migrate:status', '--wait', '2'], env);

    expect([code, stderr]).toEqual([1, expect.stringContaining('Waiting for PostgreSQL (ECONNREFUSED).')]);
    expect(stderr).not.toContain('nothing-to-see');
  });

  it('gives up at its deadline', async () => {
    await database.query('CREATE DATABASE never');
    const { code, stderr } = await stack.cli(['migrate:status', '--wait', '1'], {
      DATABASE_URL: stack.postgres.url('never'),
    });

    expect([code, stderr]).toEqual([1, expect.stringContaining('pending migration(s)')]);
  });
});
