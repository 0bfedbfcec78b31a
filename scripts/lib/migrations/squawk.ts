import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Finding } from './findings.ts';

/**
 * Matters of style, and what the trace of locks finds out by trying: a SET NOT NULL that a valid check makes cheap, for one, which
 * words alone do not show.
 */
const EXCLUDED = [
  'adding-not-nullable-field',
  'prefer-bigint-over-int',
  'prefer-bigint-over-smallint',
  'prefer-identity',
  'prefer-robust-stmts',
  'prefer-text-field',
  'prefer-timestamp-tz',
  'ban-char-field',
  // The migrator sets lock_timeout for each of its sessions.
  'require-timeout-settings',
];

interface Complaint {
  rule_name: string;
  message: string;
  help?: string;
}

/** What squawk says about the statements of one migration, which it reads as text. */
export function squawk(statements: readonly string[], inTransaction: boolean): Finding[] {
  const command = createRequire(import.meta.url).resolve('squawk-cli/js/bin/squawk');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      command,
      ...['--reporter', 'json', '--pg-version', '18.0', '--stdin-filepath', 'migration.sql'],
      ...EXCLUDED.map((rule) => `--exclude=${rule}`),
      ...(inTransaction ? ['--assume-in-transaction'] : []),
    ],
    { input: `${statements.join(';\n')};\n`, encoding: 'utf8' },
  );
  try {
    return (JSON.parse(stdout) as Complaint[]).map(({ rule_name: rule, message, help }) => ({
      rule,
      message: help ? `${message} ${help}` : message,
    }));
  } catch {
    throw new Error(`squawk did not answer: ${stderr || stdout}`);
  }
}
