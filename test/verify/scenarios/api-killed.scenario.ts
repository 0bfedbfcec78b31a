import { setTimeout as delay } from 'node:timers/promises';
import { httpClient } from '../../../local/http.ts';
import type { HttpResponse } from '../../../local/http.ts';
import type { ApiProcess } from '../../../local/processes.ts';
import type { RequestTemplate } from '../../../local/requests.ts';
import type { JournalEntry } from '../load/plan.ts';
import { LoadResult } from '../load/load-result.ts';
import { transfersOf } from '../../specimen/outside.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { count } from '../wording.ts';

export const promise =
  'When an api instance dies between commit and answer, a client that retries its transfer with the same key gets one transfer and the answer that it missed.';
export const seconds = 40;

/** How often the case must occur: it cannot be produced from outside, only met by chance. */
const CASES = 5;
const MOST_KILLS = 16;
const CLIENTS = 24;

interface Retried {
  /** Whether the transfer had been committed although its client got no answer. */
  committed: boolean;
  held: boolean;
  detail: string;
}

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const customers = await stage.customers(4);
  const requests = stage.bank.transferring(customers);
  const results: LoadResult[] = [];
  const retried: Retried[] = [];
  let kills = 0;
  const committed = (): number => retried.filter((retry) => retry.committed).length;
  while (kills < MOST_KILLS && committed() < CASES) {
    const victim = stage.apis[kills % 2]!;
    const survivor = stage.apis[(kills + 1) % 2]!;
    kills += 1;
    report.phase(`kill ${kills}; ${committed()} of ${CASES} cases of a transfer without an answer so far`);
    const result = await killUnderLoad(stage, report, victim, requests);
    results.push(result);
    const unanswered = result.journal.filter(({ outcome }) => outcome === 'reset');
    const restarting = victim.startAgain();
    retried.push(...(await retryAll(stage, survivor, requests, unanswered)));
    await restarting;
  }

  const answered = results.flatMap(({ journal }) => journal.filter(({ status }) => status === 201));
  const transfers = await transfersOf(
    stage.truth.query,
    customers.map(({ id }) => id),
  );
  const expected = answered.length + retried.length;
  const wrong = retried.filter(({ held }) => !held);
  const verdict =
    wrong.length === 0
      ? 'all'
      : wrong
          .slice(0, 3)
          .map(({ detail }) => detail)
          .join('; ');
  for (const [i, result] of results.entries()) report.explain(i < 2 ? unexpectedOf(result) : []);
  report.check(
    `at least ${CASES} transfers were committed and not answered`,
    committed() >= CASES,
    `${count(committed())} in ${count(kills)} kills, among ${count(retried.length)} requests without an answer`,
  );
  report.check('every retry gets 201, and a second one the same answer', wrong.length === 0, verdict);
  report.check(
    'there are exactly as many transfers as clients got confirmed',
    transfers.size === expected,
    `${count(transfers.size)} transfers, ${count(expected)} keys`,
  );
  report.figure('transfers made', count(transfers.size));
  report.figure('SIGKILLs', count(kills));
  const last = results.at(-1);
  if (last) report.plot('Transfers at the instance that was killed (last kill)', last);
}

async function killUnderLoad(
  stage: Stage,
  report: ScenarioReport,
  victim: ApiProcess,
  requests: RequestTemplate[],
): Promise<LoadResult> {
  const load = stage.load.start({
    streams: [
      {
        name: 'making transfers',
        ports: [victim.port],
        requests,
        pace: { kind: 'closed', connections: CLIENTS },
        journal: true,
        whenRefused: 'leave',
      },
    ],
  });
  await delay(600 + Math.random() * 500);
  await report.fault('SIGKILL', () => victim.kill());
  await delay(100);
  return load.stop();
}

/** Retries every unanswered request twice: both must get the answer that the first one missed. */
async function retryAll(
  stage: Stage,
  survivor: ApiProcess,
  requests: RequestTemplate[],
  unanswered: JournalEntry[],
): Promise<Retried[]> {
  const keys = unanswered.map(({ key }) => key!);
  const stored = await stage.truth.query<{ key: string; status: number; body: string }>(
    'SELECT key, status, body FROM idempotency_records WHERE key = ANY ($1)',
    [keys],
  );
  const known = new Map(stored.map((record) => [record.key, record]));
  return Promise.all(
    unanswered.map(async ({ key, request }) => {
      const { path, body, headers } = requests[request]!;
      const ask = (): Promise<HttpResponse> =>
        untilTaken(() =>
          httpClient(survivor.url).post(path, body, { headers: { ...headers, 'Idempotency-Key': key! } }),
        );
      const first = await ask();
      const second = await ask();
      const record = known.get(key!);
      const same = first.text === second.text && (!record || record.body === first.text);
      const replays = wasReplayed(second) && (!record || wasReplayed(first));
      const held = first.status === 201 && second.status === 201 && same && replays;
      const detail = `${key}: ${first.status}, then ${second.status}, ${same ? 'same' : 'different'} bytes`;
      return { committed: record?.status === 201 || wasReplayed(first), held, detail };
    }),
  );
}

/** A client that gets `Retry-After` retries. */
async function untilTaken(ask: () => Promise<HttpResponse>): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask();
    if (answer.status !== 503 || attempt === 5) return answer;
    await delay(Number(answer.headers.get('retry-after') ?? 1) * 1_000);
  }
}

function wasReplayed({ headers }: HttpResponse): boolean {
  return headers.get('idempotency-replayed') === 'true';
}

function unexpectedOf(result: LoadResult): LoadResult['samples'] {
  return result.samples.filter(({ kind }) => kind === 'unexpected' || kind === 'malformed');
}
