import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../../../local/wait-for.ts';
import type { StreamPlan } from '../load/plan.ts';
import { now } from '../load/recorder.ts';
import { checkEventsAndMail } from '../mail-check.ts';
import { Probe } from '../probe.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { clientele } from '../traffic.ts';
import { count, ms, worstOf } from '../wording.ts';

export const promise =
  'At SIGTERM an api under keep-alive load resets no connection and refuses none before readiness is 503; a worker loses and duplicates no job; both exit with 0 in time.';
export const seconds = 25;

const CLIENTS = 32;
/** SHUTDOWN_TIMEOUT_MS and SHUTDOWN_DRAIN_DELAY_MS as shipped. */
const IN_TIME_MS = 25_000;
const DRAIN_DELAY_MS = 5_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const { bank, stack } = stage;
  const [api] = stage.apis;
  const [worker] = stage.workers;
  if (!api || !worker) throw new Error('Nothing is running');
  const { customers, transfers } = await clientele(stage);
  const readiness = new Probe(`${api.managementUrl}/health/ready`, { everyMs: 20 });
  const liveness = new Probe(`${api.managementUrl}/health/live`, { everyMs: 50 });
  // Clients rest between two requests: a connection that is idle at the wrong moment is what shutdowns reset.
  const stream: Pick<StreamPlan, 'ports' | 'whenRefused'> = { ports: [api.port], whenRefused: 'leave' };
  const load = stage.load.start({
    streams: [
      {
        ...stream,
        name: 'reading',
        requests: [...bank.reading(transfers), ...bank.browsing()],
        pace: { kind: 'closed', connections: CLIENTS - 8, pauseMs: 30 },
      },
      {
        ...stream,
        name: 'making transfers',
        requests: bank.transferring(customers),
        pace: { kind: 'closed', connections: 8, pauseMs: 60 },
      },
    ],
  });
  report.phase(`${CLIENTS} keep-alive connections`);
  await delay(2_000);
  // From now on each mail takes two seconds: the worker has jobs in hand when the signal comes.
  await stack.sink.setMood('slow');
  await waitFor(async () => (await activeJobs(worker.managementUrl)) > 0, {
    within: 5_000,
    what: 'an active job',
  });
  const busy = await activeJobs(worker.managementUrl);

  const signalled = now();
  const ends = await Promise.all([
    report.fault('SIGTERM to api 1', () => api.stop('SIGTERM')),
    report.fault('SIGTERM to worker 1', () => worker.stop('SIGTERM')),
  ]);
  await stack.sink.setMood('ok');
  const result = await load.stop();
  readiness.stop();
  const exits = await Promise.all([api.exited, worker.exited]);

  const unready = readiness.firstUnwell ?? Infinity;
  // Once the listener is closed, new connections are turned away: refused, or reset while still in the kernel's queue.
  const closedAt = signalled + DRAIN_DELAY_MS;
  const turnedAway = result.losses.filter(({ fresh, at }) => fresh && at >= closedAt && closedAt > unready);
  const cut = result.losses.filter((loss) => !turnedAway.includes(loss));
  const resets = cut.filter(({ kind }) => kind === 'reset');
  const refused = cut.filter(({ kind }) => kind === 'connect-refused');
  const { 'connect-refused': _refused, reset: _reset, ...failures } = result.all.failures;
  report.plot('All traffic at the api that gets SIGTERM', result);
  report.check('no connection is reset', resets.length === 0, count(resets.length));
  report.check(
    `none is refused before readiness is 503 and the drain of ${DRAIN_DELAY_MS / 1_000} s is over`,
    refused.length === 0,
    count(refused.length),
  );
  const others = Object.values(failures).reduce((sum, times) => sum + times, 0);
  report.check(
    'no request fails in any other way',
    others + result.all.refused === 0,
    `${count(others)}${worstOf(failures)}`,
  );
  for (const [i, name] of ['the api', 'the worker'].entries()) {
    const { code, signal } = exits[i]!;
    const took = ends[i]!.to - ends[i]!.from;
    report.check(
      `${name} exits with 0 within ${IN_TIME_MS / 1_000} s`,
      code === 0 && took < IN_TIME_MS,
      `${signal ?? code} after ${ms(took)}`,
    );
  }
  const unalive = liveness.stop().filter(({ at, status }) => status !== 200 && at < closedAt).length;
  report.check('liveness stays 200 through the drain', unalive === 0, `${count(unalive)} other answers`);
  report.figure('readiness turned 503 after', ms(unready - signalled));
  report.figure('new connections refused after the drain', count(turnedAway.length));
  report.figure('requests', count(result.all.requests));
  report.figure('active jobs at the signal', count(busy));
  await checkEventsAndMail(stage, report, customers, 60_000);
}

/** From the worker's readiness, which shows its phase. */
async function activeJobs(managementUrl: string): Promise<number> {
  const answer = await fetch(`${managementUrl}/health/ready`);
  return Number(/"activeJobs":(\d+)/.exec(await answer.text())?.[1] ?? 0);
}
