import { setTimeout as delay } from 'node:timers/promises';
import { httpClient } from '../../local/http.ts';
import { alternate } from '../harness/alternate.ts';
import { pacedReads } from '../harness/paced-reads.ts';
import { peakMemoryMiB } from '../harness/process-usage.ts';
import { pairwise, spreadOf } from '../harness/statistics.ts';
import type { LoadResult } from '../harness/wrk.ts';
import { NO_PRACTICAL_LIMIT } from '../testbed/testbed.ts';
import type { Subject } from '../subject.ts';
import type { Measure, Workload } from '../workload.ts';

type Exports = NonNullable<Subject['exports']>;

const FEW = 10_000;
const MANY = 1_000_000;
const POLL_MS = 100;
/**
 * Time of the reads, in lengths of a round: one length has 1,500 reads, and their p99 would depend on 15. The export takes
 * longer.
 */
const READING_ROUNDS = 5;

interface ExportAnswer {
  id: string;
  status: 'queued' | 'running' | 'completed' | 'failed';
  progress: { rows: number; total: number };
}

interface Round {
  /** The worker's, in MiB. */
  peak: number;
  rowsPerSecond: number;
  /** How often the progress was seen to have moved on, short of the end. */
  steps: number;
  /** Reads during the export. */
  reads: LoadResult;
}

export const exportMillion = (subject: Subject, exports: Exports): Workload => ({
  name: 'export-million',
  title: 'CSV export of a million records against ten thousand, with concurrent reads',
  run: async (bench) => {
    const testbed = await bench.open({ rateLimit: NO_PRACTICAL_LIMIT });
    bench.say('filling tables');
    const { sql } = testbed;
    const { callers } = await subject.fill(sql, { callers: 100, things: 10, records: FEW });
    const { rows: first } = await sql.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    await subject.addRecords(sql, MANY - FEW, true);
    const api = await testbed.api();
    const admin = httpClient(api.url).as(testbed.tokens.of(String(callers[0]), 'admin'));
    const { table, owner } = subject.records;
    const { rows: records } = await sql.query<{ id: string; caller: string }>(
      `SELECT id, ${owner} AS caller FROM ${table} ORDER BY id LIMIT 1000`,
    );
    const requests = records.map(({ id, caller }) => subject.read.request(id, testbed.tokens.of(caller)));

    /** Requests an export and polls it to its end. */
    const exportAll = async (
      expected: number,
      to?: Date,
    ): Promise<Pick<Round, 'rowsPerSecond' | 'steps'>> => {
      const started = performance.now();
      const asked = await admin.post<ExportAnswer>(exports.path, exports.body(to));
      if (asked.status !== 202)
        throw new Error(`An export request was answered ${asked.status}: ${asked.text}`);
      const seen = new Set<number>();
      for (;;) {
        const { status, progress } = (await admin.get<ExportAnswer>(`${exports.path}/${asked.body.id}`)).body;
        if (status === 'failed') throw new Error('The export failed');
        if (status === 'completed') {
          if (progress.rows !== expected) throw new Error(`The export has ${progress.rows} rows`);
          return { rowsPerSecond: (expected * 1000) / (performance.now() - started), steps: seen.size };
        }
        if (progress.rows > 0 && progress.rows < expected) seen.add(progress.rows);
        await delay(POLL_MS);
      }
    };
    /** Exports in a worker that has done nothing else, and reads records meanwhile. */
    const round = async (rows: number, meanwhile: boolean, to?: Date): Promise<Round> => {
      const worker = await testbed.worker();
      const first = exportAll(rows, to);
      if (!meanwhile) await first;
      let reading = true;
      const goOn = meanwhile
        ? first.then(async () => {
            while (reading) await exportAll(rows, to);
          })
        : first;
      const reads = await pacedReads(testbed, api.url, requests, READING_ROUNDS * bench.seconds);
      reading = false;
      await goOn;
      const peak = peakMemoryMiB(worker.pid);
      await worker.stop();
      return { ...(await first), peak, reads };
    };

    await pacedReads(testbed, api.url, requests, 2);
    const [few = [], many = []] = await alternate(bench, [
      { name: 'ten thousand', measure: () => round(FEW, false, first[0]?.now) },
      { name: 'a million', measure: () => round(MANY, true) },
    ]);
    const each = (rounds: Round[], what: Exclude<keyof Round, 'reads'>): number[] =>
      rounds.map((one) => one[what]);
    const steps = each(many, 'steps');
    return {
      measures: [
        { side: 'ten thousand', unit: 'MiB at most', rounds: each(few, 'peak') },
        { side: 'a million', unit: 'MiB at most', rounds: each(many, 'peak') },
        { side: 'ten thousand', unit: 'rows/s', rounds: each(few, 'rowsPerSecond') },
        { side: 'a million', unit: 'rows/s', rounds: each(many, 'rowsPerSecond') },
        readMeasure('reads, quiet', few),
        readMeasure('reads meanwhile', many),
      ],
      checks: [
        pairwise('peak memory, of that for ten thousand', each(many, 'peak'), each(few, 'peak'), {
          atMost: 1.2,
        }),
        { what: 'progress steps seen', value: Math.min(...steps), spread: spreadOf(steps), atLeast: 10 },
        pairwise('read p99 during the export, of quiet', p99Of(many), p99Of(few), { atMost: 1.5 }),
      ],
      notes: [
        'Each export runs in a worker that has just started. About 400 reads/s run during the export of the million; quiet is the same with an idle worker.',
      ],
    };
  },
});

function p99Of(rounds: Round[]): number[] {
  return rounds.map(({ reads }) => reads.p99);
}

function readMeasure(side: string, rounds: Round[]): Measure {
  return {
    side,
    unit: 'requests/s',
    rounds: rounds.map(({ reads }) => reads.perSecond),
    p50: rounds.map(({ reads }) => reads.p50),
    p99: p99Of(rounds),
  };
}
