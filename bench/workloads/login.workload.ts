import { setTimeout as delay } from 'node:timers/promises';
import { alternate } from '../harness/alternate.ts';
import { scrape } from '../harness/metrics.ts';
import { pacedReads } from '../harness/paced-reads.ts';
import { median, pairwise, spreadOf } from '../harness/statistics.ts';
import { load } from '../harness/wrk.ts';
import { loginOf } from '../testbed/fill.ts';
import { openFilled } from '../testbed/open-filled.ts';
import { NO_PRACTICAL_LIMIT } from '../testbed/testbed.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workload.ts';

const LOGINS_AT_ONCE = 16;
/** Shorter turns would count fewer logins: those that are under way at the end of one do not count. */
const TURN_SECONDS = 2;
/** Until all hashing threads are busy. */
const LEAD_MS = 500;
/** At some 50 logins a second V8 has compiled their path only then. */
const WARM_UP_SECONDS = 10;

export const login = (subject: Subject): Workload => ({
  name: 'login',
  title: 'Logins with argon2id (19 MiB, two passes), with concurrent reads',
  run: async (bench) => {
    const { testbed, api, reads } = await openFilled(bench, subject, { rateLimit: NO_PRACTICAL_LIMIT });
    const hashes = await testbed.reference('bare/hashes.ts');
    const logins = Array.from({ length: 1000 }, (_, index) => loginOf(index + 1));
    const logIn = (seconds: number) =>
      load({
        url: api.url,
        requests: logins,
        seconds,
        connections: LOGINS_AT_ONCE,
        directory: testbed.directory,
      });

    const hash = (seconds: number) => hashes.command<{ perSecond: number }>('/', { seconds });
    const hashing = await alternate(
      bench,
      [
        {
          name: 'holdfast logins',
          warmUp: () => logIn(WARM_UP_SECONDS),
          measure: async () => (await logIn(TURN_SECONDS)).perSecond,
        },
        {
          name: 'hashes alone',
          warmUp: () => hash(1),
          measure: async () => (await hash(TURN_SECONDS)).perSecond,
        },
      ],
      bench.turnsOf(TURN_SECONDS),
    );
    const [loggedIn = [], possible = []] = hashing;

    const requests = await reads();
    const loopDelays: number[] = [];
    const read = () => pacedReads(testbed, api.url, requests, bench.seconds);
    const reading = await alternate(bench, [
      { name: 'reads without logins', warmUp: read, measure: read },
      {
        name: 'reads during logins',
        measure: async () => {
          const busy = logIn(bench.seconds + 1);
          await delay(LEAD_MS);
          // Each reading of the figures begins a new period.
          await scrape(api.managementUrl);
          const result = await read();
          const figures = await scrape(api.managementUrl);
          loopDelays.push((figures.get('nodejs_eventloop_lag_p99_seconds') ?? Number.NaN) * 1000);
          await busy;
          return result;
        },
      },
    ]);
    const [quiet = [], beside = []] = reading;
    const p99 = (rounds: typeof quiet): number[] => rounds.map((round) => round.p99);
    const p50 = (rounds: typeof quiet): number[] => rounds.map((round) => round.p50);
    const rate = (rounds: typeof quiet): number[] => rounds.map(({ perSecond }) => perSecond);
    return {
      measures: [
        { side: 'holdfast', unit: 'logins/s', rounds: loggedIn },
        { side: 'hashes alone', unit: 'hashes/s', rounds: possible },
        { side: 'reads, quiet', unit: 'requests/s', rounds: rate(quiet), p50: p50(quiet), p99: p99(quiet) },
        {
          side: 'beside logins',
          unit: 'requests/s',
          rounds: rate(beside),
          p50: p50(beside),
          p99: p99(beside),
        },
      ],
      checks: [
        pairwise('logins, of possible hashes', loggedIn, possible, { atLeast: 0.9 }),
        pairwise('read p99 during logins, of quiet', p99(beside), p99(quiet), { atMost: 3 }),
        {
          what: 'event-loop delay p99',
          value: median(loopDelays),
          spread: spreadOf(loopDelays),
          unit: 'ms',
          atMost: 20,
        },
      ],
      notes: [
        `${LOGINS_AT_ONCE} concurrent logins; the rate limit is raised, because all of them come from one address.`,
        'About 400 reads/s. The event-loop delay is that of /metrics, of which about 10 ms are its own sampling interval.',
      ],
    };
  },
});
