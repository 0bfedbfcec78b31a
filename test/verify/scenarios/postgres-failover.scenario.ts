import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresServer } from '../../../local/servers/postgres.ts';
import { replicateSynchronously, startReplica } from '../../../local/servers/postgres-replica.ts';
import { startTcpProxy, type TcpProxy } from '../../../local/servers/tcp-proxy.ts';
import { transfersOf } from '../../specimen/outside.ts';
import { acknowledgedTransfers, missingFrom } from '../acknowledged.ts';
import { during } from '../during.ts';
import type { LoadResult } from '../load/load-result.ts';
import { checkEventsAndMail } from '../mail-check.ts';
import { describeWindow, isNormal, troubleAfter } from '../recovery.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele, ledgerTraffic, TRANSFERRING } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise =
  'When the primary of PostgreSQL dies under load and its synchronous standby takes over, all is normal 10 s after its death and no acknowledged transfer is lost.';
export const seconds = 45;

/** What a failover manager needs to be sure that the primary is dead. */
const NOTICED_AFTER_MS = 3_000;
const NORMAL_WITHIN_MS = 10_000;
const HANDLED_WITHIN_MS = 30_000;
/** How far an asynchronous standby is behind when its primary dies. */
const BEHIND_MS = 1_000;
const RATES = { transferring: 40, reading: 80, browsing: 80 };

type People = Awaited<ReturnType<typeof clientele>>;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const address = await startTcpProxy(stage.stack.postgres.port);
  try {
    await stage.restore({ env: { DATABASE_URL: throughPort(address.port, stage.stack.postgres.url()) } });
    const people = await clientele(stage);
    await synchronous(stage, report, people, address);
    await asynchronous(stage, report, people, address);
    await checkEventsAndMail(stage, report, people.customers, HANDLED_WITHIN_MS);
  } finally {
    await address.stop();
  }
}

async function synchronous(
  stage: Stage,
  report: ScenarioReport,
  people: People,
  address: TcpProxy,
): Promise<void> {
  const primary = stage.stack.postgres;
  report.phase('building a synchronous standby');
  const standby = await startReplica(primary);
  stage.keep(standby);
  await replicateSynchronously(primary);
  const load = stage.load.start({ streams: ledgerTraffic(stage, people, RATES) });
  report.phase('quiet load');
  const quiet = await during(4_000);
  const down = await report.fault('primary killed, standby promoted', async () => {
    await primary.kill();
    await delay(NOTICED_AFTER_MS);
    await standby.promote();
    address.pointTo(standby.port);
  });
  stage.usePostgres(standby);
  report.phase('the standby has taken over');
  await during(NORMAL_WITHIN_MS - NOTICED_AFTER_MS);
  const after = await during(3_000);
  const result = await load.stop();

  report.plot('All traffic, synchronous replication', result);
  const { requests, ok, refused, failed, failures } = result.between({ from: down.from, to: after.to });
  report.check(
    'from the death of the primary on, every answer is a success or a 503 problem document with Retry-After',
    failed === 0,
    `${count(requests)} requests: ${count(ok)} served, ${count(refused)} rejected, ${count(failed)} failed${worstOf(failures)}`,
  );
  const normal = result.between({ from: down.from + NORMAL_WITHIN_MS, to: after.to });
  report.check(
    `${NORMAL_WITHIN_MS / 1_000} s after the death of the primary everything is normal`,
    isNormal(normal, result.between(quiet)),
    `${describeWindow(normal)} (quiet: ${ms(result.between(quiet).p99)})`,
  );
  report.figure(
    'last rejection after the death',
    ms(troubleAfter(result, { from: down.from, to: after.to })),
  );
  report.figure(
    'last rejection after the promotion',
    ms(troubleAfter(result, { from: down.to, to: after.to })),
  );
  const { lost, acknowledged } = await lostOf(stage, people, result);
  report.check('no acknowledged transfer is lost', lost === 0, `${count(lost)} of ${count(acknowledged)}`);
}

/** The counter-proof: with the default of PostgreSQL, the same check finds what the standby had not received. */
async function asynchronous(
  stage: Stage,
  report: ScenarioReport,
  people: People,
  address: TcpProxy,
): Promise<void> {
  const primary = stage.stack.postgres;
  report.phase('building an asynchronous standby');
  const link = await startTcpProxy(primary.port);
  try {
    const standby = await startReplica(linked(primary, link));
    stage.keep(standby);
    const load = stage.load.start({ streams: ledgerTraffic(stage, people, RATES) });
    await during(2_000);
    await report.fault('the same with an asynchronous standby', async () => {
      link.freeze();
      await delay(BEHIND_MS);
      await primary.kill();
      link.cut();
      await standby.promote();
      address.pointTo(standby.port);
    });
    stage.usePostgres(standby);
    await during(4_000);
    const { lost, acknowledged } = await lostOf(stage, people, await load.stop());
    report.check(
      `with asynchronous replication, and a standby that is ${BEHIND_MS / 1_000} s behind, acknowledged transfers are lost`,
      lost > 0,
      `${count(lost)} of ${count(acknowledged)}`,
    );
  } finally {
    await link.stop();
  }
}

async function lostOf(
  stage: Stage,
  { customers }: People,
  result: LoadResult,
): Promise<{ lost: number; acknowledged: number }> {
  const acknowledged = acknowledgedTransfers(result.stream(TRANSFERRING).journal);
  const there = await transfersOf(
    stage.truth.query,
    customers.map(({ id }) => id),
  );
  return { lost: missingFrom(there, acknowledged).length, acknowledged: acknowledged.length };
}

/** The server as it is reached over the link. */
function linked(server: PostgresServer, link: TcpProxy): PostgresServer {
  const adminUrl = (database?: string) => throughPort(link.port, server.adminUrl(database));
  return Object.create(server, { adminUrl: { value: adminUrl } }) as PostgresServer;
}

function throughPort(port: number, url: string): string {
  return Object.assign(new URL(url), { port: String(port) }).href;
}
