import { availableParallelism } from 'node:os';
import pg from 'pg';
import { CpuMeter, GENERATOR } from './cpu-meter.ts';
import type { Table } from './scenario-report.ts';
import type { Stage } from './stage.ts';

/** How often sessions of PostgreSQL are sampled, in milliseconds. */
const SAMPLE_EVERY_MS = 100;
const OTHERS = 'unrelated processes';

/** The processor time that each part of the stage has used between two moments, and for what. */
export interface Account {
  seconds: number;
  /** Core-seconds by part. */
  used: Map<string, number>;
  /** Core-seconds that belong to no process. */
  kernel: Map<string, number>;
  committed: number;
  rolledBack: number;
  /** Events that a consumer has recorded. */
  handled: number;
  /** Sessions of the apis by what they waited for, on the average of all samples. */
  sessions: Map<string, number>;
}

interface Counts {
  committed: number;
  rolledBack: number;
  handled: number;
}

const SESSIONS = `SELECT pid, application_name AS owner, state, wait_event_type AS type, wait_event AS event
  FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
const COUNTS = `SELECT xact_commit::int AS committed, xact_rollback::int AS "rolledBack",
    (SELECT count(*)::int FROM inbox) AS handled
  FROM pg_stat_database WHERE datname = current_database()`;

interface Session {
  pid: number;
  owner: string;
  state: string;
  type: string | null;
  event: string | null;
}

/** Records the machine's processor time during a measurement. */
export class Accounting {
  private readonly client: pg.Client;
  private readonly meter: CpuMeter;
  private readonly before: Counts;
  private readonly startedAt = performance.now();
  private readonly timer: NodeJS.Timeout;
  private readonly owners = new Map<number, string>();
  private readonly seen = new Map<string, number>();
  private samples = 0;

  private constructor(stage: Stage, client: pg.Client, before: Counts) {
    this.client = client;
    this.before = before;
    this.meter = new CpuMeter(stage);
    this.timer = setInterval(() => void this.sample().catch(() => undefined), SAMPLE_EVERY_MS);
  }

  static async open(stage: Stage): Promise<Accounting> {
    const client = new pg.Client({ connectionString: stage.stack.postgres.adminUrl('holdfast') });
    client.on('error', () => undefined);
    await client.connect();
    return new Accounting(stage, client, await count(client));
  }

  async close(): Promise<Account> {
    clearInterval(this.timer);
    const seconds = (performance.now() - this.startedAt) / 1_000;
    const used = this.meter.coreSeconds(this.owners);
    const kernel = this.meter.kernelSeconds();
    const ours = [...used.values()].reduce((sum, one) => sum + one, 0);
    kernel.set(OTHERS, Math.max(0, this.meter.busySeconds - ours));
    const after = await count(this.client);
    await this.client.end();
    return {
      seconds,
      used,
      kernel,
      committed: after.committed - this.before.committed,
      rolledBack: after.rolledBack - this.before.rolledBack,
      handled: after.handled - this.before.handled,
      sessions: new Map([...this.seen].map(([what, times]) => [what, times / Math.max(1, this.samples)])),
    };
  }

  private async sample(): Promise<void> {
    const { rows } = await this.client.query<Session>(SESSIONS);
    this.samples += 1;
    for (const { pid, owner, state, type, event } of rows) {
      if (!owner.startsWith('holdfast-')) continue;
      this.owners.set(pid, `PostgreSQL for ${owner.slice('holdfast-'.length)}`);
      if (owner !== 'holdfast-api') continue;
      const what =
        state !== 'active'
          ? state
          : type === null
            ? 'running'
            : type === 'Lock'
              ? 'waiting for a row'
              : `${type} ${event}`;
      this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
    }
  }
}

/** Share of one core that each part has had, for example `api 0.62, PostgreSQL for api 0.41`. */
export function describeCores({ used, seconds }: Account): string {
  return [...used]
    .map(([part, all]): [string, number] => [part, all / seconds])
    .filter(([, cores]) => cores >= 0.01)
    .sort(([, a], [, b]) => b - a)
    .map(([part, cores]) => `${part} ${cores.toFixed(2)}`)
    .join(', ');
}

/**
 * Core-seconds that were left to the product and its servers: the load generator shares their machine, and so may others. In
 * production these run elsewhere.
 */
export function leftToTheProduct({ seconds, used, kernel }: Account): number {
  return seconds * availableParallelism() - (used.get(GENERATOR) ?? 0) - (kernel.get(OTHERS) ?? 0);
}

/**
 * Accounts side by side: core-seconds for each thousand transfers that were accepted, and the other costs of a transfer.
 * @param columns the accounts by their heading, each with the transfers that were accepted meanwhile
 */
export function comparison(columns: Record<string, { account: Account; accepted: number }>): Table {
  const accounts = Object.values(columns);
  const row = (name: string, of: (account: Account) => number | undefined, digits = 2): string[] => [
    name,
    ...accounts.map(({ account, accepted }) => (((of(account) ?? 0) / accepted) * 1_000).toFixed(digits)),
  ];
  const namesOf = (of: (account: Account) => Map<string, number>): string[] => {
    const most = new Map<string, number>();
    for (const { account } of accounts)
      for (const [name, value] of of(account)) most.set(name, Math.max(most.get(name) ?? 0, value));
    return [...most].sort(([, a], [, b]) => b - a).map(([name]) => name);
  };
  return {
    title: 'Per thousand accepted transfers',
    head: ['', ...Object.keys(columns)],
    rows: [
      ...namesOf(({ used }) => used).map((part) =>
        row(`core-seconds of ${part}`, ({ used }) => used.get(part)),
      ),
      row('core-seconds of all processes', ({ used }) =>
        [...used.values()].reduce((sum, one) => sum + one, 0),
      ),
      ...namesOf(({ kernel }) => kernel).map((what) =>
        row(`core-seconds: ${what}`, ({ kernel }) => kernel.get(what)),
      ),
      row('seconds', ({ seconds }) => seconds),
      row('events handled', ({ handled }) => handled, 0),
      row('transactions committed', ({ committed }) => committed, 0),
      row('transactions rolled back', ({ rolledBack }) => rolledBack, 0),
      ...namesOf(({ sessions }) => sessions).map((what) => [
        `sessions of the apis: ${what}`,
        ...accounts.map(({ account }) => (account.sessions.get(what) ?? 0).toFixed(1)),
      ]),
    ],
  };
}

async function count(client: pg.Client): Promise<Counts> {
  return (await client.query<Counts>(COUNTS)).rows[0]!;
}
