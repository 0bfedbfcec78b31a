import { httpClient } from '../../../local/http.ts';
import type { HttpResponse } from '../../../local/http.ts';
import type { LoadResult } from '../load/load-result.ts';
import type { RequestTemplate } from '../../../local/requests.ts';
import { transfersOf } from '../../specimen/outside.ts';
import type { ScenarioReport } from '../scenario-report.ts';
import type { Stage } from '../stage.ts';
import { count, worstOf } from '../wording.ts';

export const promise =
  'A thousand concurrent duplicates of one transfer and of one withdrawal have one effect; each gets the first answer or 409.';
export const seconds = 12;

const DUPLICATES = 1_000;

export async function run(stage: Stage, report: ScenarioReport): Promise<void> {
  const [customer] = await stage.customers(1);
  if (!customer) throw new Error('No customer');
  const { bank, truth, stack } = stage;

  const transfer = { ...bank.transferring([customer])[0]!, idempotencyKey: 'the-one-transfer' };
  report.phase(`${count(DUPLICATES)} times the same transfer at once`);
  const transfers = await stampede(stage, transfer);
  judgeDuplicates(report, 'the transfer', transfers);
  const ids = [...(await transfersOf(truth.query, [customer.id]))];
  report.check('there is one transfer', ids.length === 1, count(ids.length));
  await checkReplay(stage, report, 'the transfer', transfer);

  const withdrawal = { ...bank.withdrawing([customer], 1)[0]! };
  report.phase(`${count(DUPLICATES)} times the same withdrawal at once`);
  const withdrawals = await stampede(stage, withdrawal);
  judgeDuplicates(report, 'the withdrawal', withdrawals);
  await checkReplay(stage, report, 'the withdrawal', withdrawal);
  const { charges, attempts } = await stack.sandbox.summary();
  const charged = charges.filter(({ reference }) => customer.accounts.includes(reference));
  report.check('the bank has paid once', charged.length === 1, count(charged.length));
  const rows = await truth.withdrawals([customer.id]);
  report.check(
    'there is one withdrawal, and it succeeded',
    rows.length === 1 && rows[0]?.status === 'succeeded',
    describe(rows),
  );
  report.figure(
    'requests to the bank',
    count(Object.values(attempts).reduce((sum, times) => sum + times, 0)),
  );
}

/** Every duplicate on its own connection, half of them at each instance. */
function stampede(stage: Stage, request: RequestTemplate): Promise<LoadResult> {
  return stage.load.start({
    streams: [
      {
        name: 'duplicates',
        ports: stage.ports,
        requests: Array.from({ length: DUPLICATES }, () => request),
        once: true,
        pace: { kind: 'closed', connections: DUPLICATES },
        expected: [409],
        journal: true,
      },
    ],
  }).finished;
}

function judgeDuplicates(report: ScenarioReport, what: string, result: LoadResult): void {
  const { failed, refused, failures, statuses } = result.all;
  const answers = Object.entries(statuses)
    .map(([status, times]) => `${count(times)} x ${status}`)
    .join(', ');
  report.plot(`Duplicates of ${what}`, result);
  report.check(
    `every duplicate of ${what} is answered with the first answer or 409`,
    failed === 0 && refused === 0,
    `${answers}${worstOf(failures)}`,
  );
  const places = new Set(
    result.journal.filter(({ status }) => status === 201).map(({ location }) => location),
  );
  report.check(
    `all 201 answers to ${what} name the same resource`,
    places.size === 1,
    `${count(places.size)} different`,
  );
}

/** Afterwards a retry gets the answer again, at either instance. */
async function checkReplay(
  stage: Stage,
  report: ScenarioReport,
  what: string,
  { path, body, headers, idempotencyKey }: RequestTemplate,
): Promise<void> {
  const replays: HttpResponse[] = [];
  // One after the other: at the same time they would be duplicates again, and one of them might get its 409.
  for (const api of stage.apis) {
    const all = { ...headers, 'Idempotency-Key': String(idempotencyKey) };
    replays.push(await httpClient(api.url).post(path, body, { headers: all }));
  }
  const marked = replays.filter((answer) => answer.headers.get('idempotency-replayed') === 'true').length;
  const same = new Set(replays.map(({ status, text }) => `${status} ${text}`)).size === 1;
  report.check(
    `afterwards both instances replay the answer to ${what}`,
    same && marked === replays.length && replays[0]?.status === 201,
    `${marked} of ${replays.length} marked as replayed, ${same ? 'the same' : 'different'} bytes`,
  );
}

function describe(rows: { status: string }[]): string {
  return `${count(rows.length)}: ${rows.map(({ status }) => status).join(', ')}`;
}
