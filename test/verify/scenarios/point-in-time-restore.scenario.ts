import { randomUUID } from 'node:crypto';
import { httpClient } from '../../../local/http.ts';
import {
  archiveRest,
  archiveWal,
  backUp,
  postgresDirectory,
  restoreTo,
} from '../../../local/servers/postgres-backup.ts';
import { sendRedisCommand } from '../../../local/servers/redis.ts';
import { waitFor } from '../../../local/wait-for.ts';
import { eventsOf, newTransfer, TRANSFERS, transfersOf, withdrawalsOf } from '../../specimen/outside.ts';
import type { Customer } from '../bank.ts';
import { during } from '../during.ts';
import type { JournalEntry } from '../load/plan.ts';
import { checkEventsAndMail } from '../mail-check.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele, ledgerTraffic, TRANSFERRING } from '../traffic.ts';
import { checkWithdrawals } from '../withdrawal-check.ts';
import { count } from '../wording.ts';

export const promise =
  'After a DELETE without WHERE the database is restored to the moment before it: what was acknowledged until then is there, is handled once, and every payment that only the bank knows is found.';
export const seconds = 50;

const BEFORE_MS = 6_000;
/** How long the damage goes unnoticed. */
const UNNOTICED_MS = 3_000;
const WITHDRAWALS_PER_SECOND = 8;
const HANDLED_WITHIN_MS = 60_000;
const SETTLED_WITHIN_MS = 60_000;
const SESSIONS_ENDED_WITHIN_MS = 10_000;
/** Logouts after the moment are undone. */
const END_ALL_SESSIONS = 'UPDATE sessions SET revoked_at = now() WHERE revoked_at IS NULL;';

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { stack, bank, ports } = stage;
  const [archive, backup] = [await postgresDirectory('archive'), await postgresDirectory('backup')];
  for (const directory of [archive, backup]) stage.keep({ stop: () => directory.remove() });
  report.phase('switching the archive on');
  await archiveWal(stack.postgres, archive.path);
  await stage.allReady(30_000);

  const people = await clientele(stage);
  const { customers } = people;
  const [customer] = customers as [Customer];
  const requests = bank.withdrawing(customers, 60 * WITHDRAWALS_PER_SECOND);
  const load = stage.load.start({
    streams: [
      ...ledgerTraffic(stage, people, { transferring: 40, reading: 80 }),
      { name: 'withdrawing', ports, requests, pace: { kind: 'open', perSecond: WITHDRAWALS_PER_SECOND } },
    ],
  });
  report.phase('base backup under load');
  const dataDir = `${backup.path}/data`;
  report.figure('base backup made in', await timed(() => backUp(stack.postgres, dataDir)));
  await during(BEFORE_MS);
  const kept = await transfer(stage, customer);
  const moment = await now(stage);
  await report.fault('DELETE FROM transfers', async () => {
    await stage.truth.query('DELETE FROM transfers');
    await during(UNNOTICED_MS);
  });
  const gone = await transfer(stage, customer);
  const result = await load.stop();
  report.plot('All traffic', result);

  report.phase('restoring');
  const processes = [...stage.apis, ...stage.workers];
  await Promise.all(processes.map((process) => process.stop()));
  await archiveRest(stack.postgres);
  await stack.postgres.stop();
  const took = await timed(async () => {
    const restored = await restoreTo(moment.text, { backup: dataDir, archive: archive.path });
    stage.keep(restored);
    stage.usePostgres(restored);
  });
  report.figure('restored to the moment in', took);
  // It knows what happened after the moment: jobs, cached rows.
  await sendRedisCommand(stack.redis.port, 'FLUSHALL');
  await Promise.all(processes.map((process) => process.startAgain({ DATABASE_URL: stack.env.DATABASE_URL })));
  await stage.allReady(30_000);

  const { journal } = result.stream(TRANSFERRING);
  await checkTransfers(stage, report, customers, { journal, moment: moment.epochMs });
  await checkKeys(stage, report, customer, { kept, gone });
  await checkEventsAndMail(stage, report, customers, HANDLED_WITHIN_MS);
  await reportMailsAboutNothing(stage, report, customers);
  await checkBank(stage, report, customers, moment.epochMs);
  await checkWithdrawals(stage, report, customers, SETTLED_WITHIN_MS);
  await checkSessions(stage, report, customer);
}

async function checkTransfers(
  stage: Stage,
  report: ScenarioReport,
  customers: Customer[],
  { journal, moment }: { journal: JournalEntry[]; moment: number },
): Promise<void> {
  const there = await transfersOf(
    stage.truth.query,
    customers.map(({ id }) => id),
  );
  const acknowledged = journal.filter(({ status }) => status === 201);
  const isThere = ({ location = '' }: JournalEntry) =>
    there.has(location.slice(location.lastIndexOf('/') + 1));
  const before = acknowledged.filter(({ endedAt }) => endedAt < moment);
  const after = acknowledged.filter(({ startedAt }) => startedAt > moment);
  const lost = before.filter((entry) => !isThere(entry));
  report.check(
    'every transfer that was acknowledged before the moment is there',
    before.length > 0 && lost.length === 0,
    `${count(lost.length)} of ${count(before.length)} are missing`,
  );
  const left = after.filter(isThere);
  report.check(
    'nothing that was requested after the moment is there',
    after.length > 0 && left.length === 0,
    `${count(left.length)} of ${count(after.length)}`,
  );
  report.figure('acknowledged after the moment, and gone', count(after.length));
}

/** Clients retry with the keys that they have. */
async function checkKeys(
  stage: Stage,
  report: ScenarioReport,
  customer: Customer,
  { kept, gone }: { kept: Made; gone: Made },
): Promise<void> {
  const again = await transfer(stage, customer, kept.key);
  report.check(
    'a retry of a request from before the moment gets its answer again',
    again.replayed && again.id === kept.id,
    again.replayed ? 'replayed' : 'done again',
  );
  const anew = await transfer(stage, customer, gone.key);
  const repeated = await transfer(stage, customer, gone.key);
  report.check(
    'a retry of a request from after it does the work again, once',
    !anew.replayed && anew.id !== gone.id && repeated.replayed && repeated.id === anew.id,
    `${anew.replayed ? 'replayed' : 'done again'}, then ${repeated.replayed ? 'replayed' : 'done again'}`,
  );
}

/** Mail cannot be called back. */
async function reportMailsAboutNothing(
  stage: Stage,
  report: ScenarioReport,
  customers: Customer[],
): Promise<void> {
  const events = await eventsOf(
    stage.truth.query,
    customers.map(({ id }) => id),
  );
  const known = new Set(events.map(({ id }) => id));
  const mails = [...(await stage.truth.mails()).keys()];
  report.figure('mails about what is gone', count(mails.filter((id) => !known.has(id)).length));
}

/** What the bank has paid and the restored database does not know: an operator has to enter it or have it returned. */
async function checkBank(
  stage: Stage,
  report: ScenarioReport,
  customers: Customer[],
  moment: number,
): Promise<void> {
  const rows = await withdrawalsOf(
    stage.truth.query,
    customers.map(({ id }) => id),
  );
  const known = new Set(rows.map(({ id }) => id));
  const { charges } = await stage.stack.sandbox.summary();
  const unknown = charges.filter(({ idempotencyKey }) => !known.has(idempotencyKey));
  const early = unknown.filter(({ createdAt }) => Date.parse(createdAt) < moment);
  report.check(
    "of the bank's payments, exactly those after the moment are unknown",
    unknown.length > 0 && early.length === 0,
    `${count(unknown.length)} of ${count(charges.length)} are unknown, ${count(early.length)} of them from before`,
  );
}

/** The last step, because the checks before it need their sessions. */
async function checkSessions(stage: Stage, report: ScenarioReport, { token }: Customer): Promise<void> {
  await stage.truth.query(END_ALL_SESSIONS);
  const http = httpClient(stage.apis[0]!.url).as(token);
  const ended = await waitFor(async () => (await http.get(TRANSFERS)).status === 401, {
    within: SESSIONS_ENDED_WITHIN_MS,
    what: 'the end of a session',
  }).catch(() => false);
  report.check('sessions can be ended, all at once', ended, ended ? 'ended' : 'still valid');
}

interface Made {
  key: string;
  id: string;
  replayed: boolean;
}

/** Retries like any client: on a busy machine a request may be rejected. */
async function transfer(
  stage: Stage,
  { token, accounts }: Customer,
  key: string = randomUUID(),
): Promise<Made> {
  const [[from = ''], [to = '']] = [accounts, stage.bank.busy];
  const http = httpClient(stage.apis[0]!.url).as(token);
  const made = () =>
    http.post<{ id: string }>(TRANSFERS, newTransfer(from, to), { headers: { 'Idempotency-Key': key } });
  return waitFor(
    async () => {
      const { status, body, headers } = await made();
      return status === 201 && { key, id: body.id, replayed: headers.get('idempotency-replayed') === 'true' };
    },
    { within: 30_000, every: 1_000, what: 'a transfer' },
  );
}

/** By the clock of PostgreSQL, to which it is restored. */
async function now(stage: Stage): Promise<{ text: string; epochMs: number }> {
  const [row] = await stage.truth.query<{ text: string; epochMs: number }>(
    `SELECT at::text AS text, (extract(epoch FROM at) * 1000)::float8 AS "epochMs" FROM clock_timestamp() AS at`,
  );
  return row!;
}

async function timed(work: () => Promise<void>): Promise<string> {
  const started = performance.now();
  await work();
  return `${((performance.now() - started) / 1_000).toFixed(1)} s`;
}
