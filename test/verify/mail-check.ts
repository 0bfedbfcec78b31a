import { eventsOf } from '../specimen/outside.ts';
import type { ScenarioReport } from './scenario-report.ts';
import type { Customer } from './bank.ts';
import type { Stage } from './stage.ts';
import { count } from './wording.ts';

/**
 * Waits until every event is handled, then compares the mail store with the outbox: one mail for each event about a transfer of
 * these customers, none missing and none twice.
 * @returns how many seconds it took after the call
 */
export async function checkEventsAndMail(
  stage: Stage,
  report: ScenarioReport,
  customers: Customer[],
  withinMs: number,
): Promise<number> {
  report.phase('waiting until every event is handled');
  const started = Date.now();
  const owed = await stage.truth.allHandled(withinMs);
  const tookSeconds = (Date.now() - started) / 1_000;
  const ids = customers.map(({ id }) => id);
  const [events, mails, deadLetters, counts] = await Promise.all([
    eventsOf(stage.truth.query, ids),
    stage.truth.mails(),
    stage.truth.deadLetters(),
    stage.stack.sink.counts(),
  ]);
  const missing = events.filter(({ id }) => !mails.has(id));
  report.check(
    'every event is handled eventually',
    owed === 0,
    `${count(owed)} of ${count(events.length)} left`,
  );
  report.check('no event ends as a dead letter', deadLetters === 0, count(deadLetters));
  report.check(
    'every event has caused its mail',
    missing.length === 0,
    `${count(missing.length)} mails missing`,
  );
  const doubled = doubledMails(events, mails);
  report.check(
    'no mail is duplicated',
    doubled === 0,
    `${count(doubled)} duplicated of ${count(mails.size)}`,
  );
  report.figure('sent again with the same Message-ID', count(counts.duplicates));
  if (counts.duplicates > 0) {
    report.note(
      'A mail that was sent just before a fault is sent again with the same Message-ID; the mail store ' +
        'keeps the first one, like duplicate detection according to RFC 7352.',
    );
  }
  return tookSeconds;
}

/** Two events of one kind about one transfer would be two mails with different ids: just as bad as the same mail twice. */
function doubledMails(
  events: { id: string; name: string; transferId: string }[],
  mails: ReadonlyMap<string, unknown>,
): number {
  const about = events
    .filter(({ id }) => mails.has(id))
    .map(({ name, transferId }) => `${name} ${transferId}`);
  return about.length - new Set(about).size;
}
