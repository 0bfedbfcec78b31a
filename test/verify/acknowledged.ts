import type { JournalEntry } from './load/plan.ts';

/** Ids of the transfers that were acknowledged to the clients. */
export function acknowledgedTransfers(journal: JournalEntry[]): string[] {
  return journal
    .filter(({ status, location }) => status === 201 && location !== undefined)
    .map(({ location }) => location!.slice(location!.lastIndexOf('/') + 1));
}

/** Those of `ids` that are not in `there`. */
export function missingFrom(there: ReadonlySet<string>, ids: string[]): string[] {
  return ids.filter((id) => !there.has(id));
}
