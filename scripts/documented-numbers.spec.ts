import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeSettings } from '../src/config/index.js';
import { PRODUCT } from '../src/product.js';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8').replaceAll(/\s+/g, ' ');

const pages = globSync(['README.md', 'docs/**/*.md'], { cwd: root });
const settings = new Map(
  describeSettings(PRODUCT)
    .flatMap((section) => section.settings)
    .map((setting) => [setting.name, setting.default]),
);

const UNITS: Record<string, number> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, days: 86_400_000 };
const BYTES: Record<string, number> = { bytes: 1, KiB: 1024, MiB: 1024 ** 2 };
/** What one of a setting is, by the end of its name. */
const SCALES: [ending: RegExp, units: Record<string, number>, scale: number][] = [
  [/_MS$/, UNITS, 1],
  [/_SECONDS$/, UNITS, 1000],
  [/_HOURS$/, UNITS, 3_600_000],
  [/_DAYS$/, UNITS, 86_400_000],
  [/_BYTES$/, BYTES, 1],
];

describe('a setting whose default a page gives', () => {
  const given = pages.flatMap((page) =>
    [
      ...read(page).matchAll(
        /`([A-Z]+(?:_[A-Z]+)+)`(?:,| \() ?([\d.,]*\d) ?(ms|s|min|h|days|bytes|KiB|MiB)?\b/g,
      ),
    ].map(([, name = '', amount = '', unit]) => ({
      page,
      name,
      amount: Number(amount.replaceAll(',', '')),
      unit,
    })),
  );

  it('is found', () => {
    expect(given.length).toBeGreaterThan(5);
  });

  // A fork that has removed a feature keeps decisions that mention its settings.
  it.each(given.filter(({ name }) => settings.has(name)))(
    '$name is $amount $unit in $page',
    ({ name, amount, unit }) => {
      const [, units = {}, scale = 1] = SCALES.find(([ending]) => ending.test(name)) ?? [];
      expect(amount * (unit === undefined ? scale : (units[unit] ?? Number.NaN))).toBe(
        Number(settings.get(name)) * scale,
      );
    },
  );
});

describe('a setting that a page names', () => {
  const firstWord = (name: string) => name.split('_', 1)[0] ?? '';
  const sections = new Set(describeSettings().flatMap((s) => s.settings.map(({ name }) => firstWord(name))));
  // Its SDK reads variables of its own.
  sections.delete('OTEL');

  it.each(pages)('exists: %s', (page) => {
    const named = [...read(page).matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map(([, name = '']) => name);
    const unknown = named.filter(
      (name) => sections.has(firstWord(name)) && !settings.has(name.replace(/_FILE$/, '')),
    );
    expect(unknown).toEqual([]);
  });
});

/** Constants that pages give, by page: the page's words, the file, and the declaration in it. A change of one changes both. */
const CONSTANTS: Record<string, [words: string, file: string, declaration: string][]> = {
  'docs/architecture.md': [
    [
      'up to 8 MiB of lines are kept',
      'src/platform/observability/log-destination.ts',
      'MOST_WAITING_BYTES = 8 * 1024 * 1024',
    ],
    ['waits 0.2 s for the reader', 'src/platform/lifecycle/process.ts', 'LAST_LINES_MS = 200'],
    ['waits two seconds for its lock', 'src/platform/database/migrator.ts', 'LOCK_TIMEOUT_MS = 2000'],
  ],
  'docs/degradation.md': [
    [
      'hence the 2 s that `test/faults` asserts',
      'test/faults/postgresql.spec.ts',
      'ANSWERED_WITHIN_MS = 2000',
    ],
    [
      '`npm run verify` allows 2.5 s',
      'test/verify/scenarios/postgres-outage.scenario.ts',
      'ANSWER_WITHIN_MS = 2_500',
    ],
    [
      'Answers are normal again within 3 s',
      'test/verify/scenarios/postgres-outage.scenario.ts',
      'NORMAL_WITHIN_MS = 3_000',
    ],
    ['one request every half second', 'src/platform/resilience/policies.ts', 'reopenAfterMs: 500'],
    ['Once a second every instance', 'src/platform/health/health.watch.ts', 'LOOK_EVERY_MS = 1000'],
    ['sees that counter grow five times', 'src/platform/health/cut-off.ts', 'SURE_AFTER = 5'],
    ['Twice a second each process compares', 'src/platform/database/replicas.ts', 'COMPARE_EVERY_MS = 500'],
    [
      'at least every ten minutes',
      'src/modules/payments/payment-reconciliation.ts',
      'ASK_AGAIN_AT_MOST_MS = 600_000',
    ],
    ['waits for one second at most', 'src/platform/observability/tracing/tracing.ts', 'LAST_FLUSH_MS = 1000'],
    [
      'served in half of `DATABASE_ACQUIRE_TIMEOUT_MS`',
      'src/platform/database/connection-queue.ts',
      'EXPECTED_WAIT = 0.5',
    ],
    [
      'a pause of 100 ms before each',
      'src/platform/messaging/consuming/worker-jobs.ts',
      'YIELDING_PAUSE_MS = 100',
    ],
    ['relay a fiftieth of the events', 'src/platform/messaging/relay/relay.ts', 'batchShare: 0.02'],
    [
      'delays mail by a minute at most',
      'src/platform/messaging/consuming/background-throttle.ts',
      'LATE_MS = 60_000',
    ],
    ['One log line a second', 'src/platform/http/admission/load-shedder.ts', 'REPORT_EVERY_MS = 1000'],
    [
      'have not arrived within 10 s',
      'src/platform/http/connections/public-server.ts',
      'HEADERS_TIMEOUT_MS = 10_000',
    ],
  ],
  'docs/extending.md': [
    ['The offset is 10,000 at most', 'src/platform/http/input/offset-pagination.ts', 'FURTHEST = 10_000'],
    ['one statement per thousand', 'src/platform/messaging/outbox/outbox.ts', 'AT_ONCE = 1000'],
  ],
  'docs/verify.md': [
    [
      'within 2.5 s or a cached read',
      'test/verify/scenarios/postgres-outage.scenario.ts',
      'ANSWER_WITHIN_MS = 2_500',
    ],
    ['| frozen 8 s, then killed', 'test/verify/scenarios/postgres-outage.scenario.ts', 'FROZEN_MS = 8_000'],
    [
      '| frozen 10 s, then restarted empty',
      'test/verify/scenarios/redis-outage.scenario.ts',
      'FROZEN_MS = 10_000',
    ],
    [
      '99.9 % of transfers and reads succeed',
      'test/verify/scenarios/redis-outage.scenario.ts',
      'LEAST_SHARE = 0.999',
    ],
    [
      'hangs 8 s, then dead 12 s',
      'test/verify/scenarios/smtp-outage.scenario.ts',
      'HANGING_MS = 8_000; const DEAD_MS = 12_000',
    ],
    ['goodput at least 0.9 of the peak', 'test/verify/scenarios/overload.scenario.ts', 'LEAST_GOODPUT = 0.9'],
    [
      'three minutes at 70 % of capacity',
      'test/verify/scenarios/soak.scenario.ts',
      'SOAK_MS = 180_000; const SHARE_OF_CAPACITY = 0.7',
    ],
    ['grows by less than 5 %', 'test/verify/scenarios/soak.scenario.ts', 'MOST_GROWTH = 0.05'],
  ],
  'docs/operations/backup-restore.md': [
    [
      'UPDATE sessions SET revoked_at = now() WHERE revoked_at IS NULL;',
      'test/verify/scenarios/point-in-time-restore.scenario.ts',
      'UPDATE sessions SET revoked_at = now() WHERE revoked_at IS NULL;',
    ],
    [
      "archive_command = 'test ! -f /archive/%f && cp %p /archive/%f'",
      'local/servers/postgres-backup.ts',
      "archive_command = 'test ! -f ${archive}/%f && cp %p ${archive}/%f'",
    ],
    [
      "restore_command = 'cp /archive/%f %p'",
      'local/servers/postgres-backup.ts',
      "restore_command = 'cp ${archive}/%f %p'",
    ],
  ],
  'docs/operations/disaster.md': [
    [
      'waits 3 s as a failover manager does',
      'test/verify/scenarios/postgres-failover.scenario.ts',
      'NOTICED_AFTER_MS = 3_000',
    ],
    [
      '10 s after the death all is normal',
      'test/verify/scenarios/postgres-failover.scenario.ts',
      'NORMAL_WITHIN_MS = 10_000',
    ],
  ],
  'docs/operations/tracing.md': [
    ['Up to 2,048 spans', 'src/platform/observability/tracing/open-telemetry.ts', 'QUEUE_SPANS = 2048'],
    [
      'not answered within 2 s',
      'src/platform/observability/tracing/span-exporter.ts',
      'EXPORT_TIMEOUT_MS = 2000',
    ],
  ],
  'docs/decisions/0002-management-application-on-its-own-port.md': [
    ['within 800 ms', 'src/platform/health/health.watch.ts', 'CHECK_TIMEOUT_MS = 800'],
  ],
  'docs/decisions/0003-outbox-inbox.md': [
    ['checked every 2 s', 'src/platform/messaging/relay/queue-upkeep.ts', 'EVERY_MS = 2000'],
    [
      'Every 5 s each worker compares',
      'src/platform/messaging/relay/queue-upkeep.ts',
      'MEND_EVERY_MS = 5000',
    ],
    [
      'more than its interval and 10 s ahead',
      'src/platform/messaging/schedules/schedulers.ts',
      'CLOCK_TOLERANCE_MS = 10_000',
    ],
    ['after 25 such deaths', 'src/platform/messaging/consuming/worker-jobs.ts', 'CRASHES_ALLOWED = 25'],
  ],
  'docs/decisions/0004-sessions-and-tokens.md': [
    ['reaching back 15 s further', 'src/modules/auth/revoked-sessions.ts', 'OVERLAP_SECONDS = 15'],
    ['the newest 16', 'src/modules/auth/sessions.repository.ts', 'MAX_SUCCESSORS = 16'],
  ],
  'docs/decisions/0005-two-level-cache.md': [
    ['has not answered within 250 ms', 'src/platform/cache/read-through-cache.ts', 'PATIENCE_MS = 250'],
  ],
  'docs/decisions/0006-idempotency.md': [
    [
      '(`PAYMENT_PROVIDER_TIMEOUT_MS` + 4 s)',
      'src/modules/payments/payments.service.ts',
      'BOOKKEEPING_MS = 2000',
    ],
  ],
  'docs/decisions/0007-export-storage.md': [
    [
      'about 64 KiB of compressed text per row',
      'src/modules/exports/export-writer.ts',
      'BYTES_PER_CHUNK = 64 * 1024',
    ],
    ['when half a second has passed', 'src/modules/exports/export-writer.ts', 'WRITE_AFTER_MS = 500'],
    ['a server-side cursor, 100 at a time', 'src/modules/exports/order-export.ts', 'ROWS_PER_FETCH = 100'],
    ['in steps of 100 chunks', 'src/modules/exports/export-sweep.repository.ts', 'CHUNKS_PER_STEP = 100'],
  ],
  'docs/decisions/0008-rate-limit-leases.md': [
    [
      'first lease of a window is 1 % of the limit',
      'src/platform/rate-limit/quota.ts',
      'FIRST_LEASE_SHARE = 0.01',
    ],
    ['up to 5 %', 'src/platform/rate-limit/quota.ts', 'LARGEST_LEASE_SHARE = 0.05'],
    ['may admit 1 % of the limit in each window', 'src/platform/rate-limit/quota.ts', 'CREDIT_SHARE = 0.01'],
    ['fetched within 10 ms', 'src/platform/rate-limit/lease-storage.ts', 'GATHER_MS = 10'],
    ['up to 100 in one call', 'src/platform/redis/pieces.ts', 'MOST_AT_ONCE = 100'],
    ['For 1.5 s it admits', 'src/platform/rate-limit/lease-storage.ts', 'SETTLED_AFTER_MS = 1500'],
    ['50,000 callers per process', 'src/platform/rate-limit/lease-storage.ts', 'REMEMBERED_CALLERS = 50_000'],
  ],
  'docs/decisions/0012-plain-queues.md': [
    ['up to its last 30 s', 'src/platform/messaging/outbox/outbox.ts', 'LONGEST_DELAY_IN_REDIS_MS = 30_000'],
  ],
};

describe('a constant that a page gives', () => {
  const rows = Object.entries(CONSTANTS).flatMap(([page, found]) =>
    // Features that a fork has removed stay in its decisions.
    found
      .filter(([, file]) => !file.startsWith('src/modules/') || existsSync(join(root, file)))
      .map((row) => ({ page, row })),
  );

  it.each(rows)('$page: $row.0', ({ page, row: [words, file, declaration] }) => {
    expect(read(page)).toContain(words);
    // Without the comments between two declarations.
    expect(read(file).replaceAll(/\/\*\*.*?\*\/ /g, '')).toContain(declaration);
  });
});
