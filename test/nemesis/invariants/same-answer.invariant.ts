import type { Operation } from '../history.ts';
import type { Evidence, Verdict } from '../invariant.ts';
import { attemptsByKey, isKept } from './attempts.ts';

export const statement = 'A key always gets the same answer, down to the byte';

export interface RecordedKey {
  key: string;
  status: number | null;
  body: string | null;
}

export function check({
  history,
  final,
}: {
  history: readonly Operation[];
  final: { records: readonly RecordedKey[] };
}): Verdict {
  const records = new Map(final.records.map((record) => [record.key, record]));
  const violations: Evidence[] = [];
  let replays = 0;
  for (const [key, attempts] of attemptsByKey(history)) {
    const kept = attempts.filter(isKept);
    const [first] = kept;
    if (!first) continue;
    replays += kept.length - 1;
    const other = kept.find((attempt) => !isSame(first, attempt));
    if (other) violations.push(differs(key, first, other));
    const record = records.get(key);
    if (record && (record.status !== first.status || record.body !== first.body))
      violations.push({
        what: `The key ${key} was answered ${first.status} ${first.body}, but ${record.status} ${record.body} is recorded`,
        about: [key],
      });
  }
  return { counted: `${replays} repeated answers`, violations };
}

function isSame(one: Operation, other: Operation): boolean {
  return one.status === other.status && one.body === other.body;
}

function differs(key: string, one: Operation, other: Operation): Evidence {
  return {
    what: `The key ${key} was answered ${one.status} ${one.body}, and later ${other.status} ${other.body}`,
    about: [key, one.requestId, other.requestId].filter((id) => id !== undefined),
  };
}
