import type { Operation } from './history.ts';
import type { Evidence } from './invariant.ts';
import type { CollectedEvidence } from './results.ts';
import type { Rig } from './rig.ts';

/** Enough to understand one violation; the whole history of a minute has thousands of operations. */
const MOST_OPERATIONS = 80;
const MOST_LINES = 120;

/** The operations and log lines of the ids that the violations are about, and of the requests that belong to them. */
export function collectEvidence(
  violations: readonly Evidence[],
  history: readonly Operation[],
  rig: Pick<Rig, 'logLines'>,
): CollectedEvidence {
  const about = new Set(violations.flatMap((violation) => violation.about));
  const operations = history.filter((operation) => concerns(operation, about)).slice(0, MOST_OPERATIONS);
  const requests = operations.flatMap(({ requestId }) => (requestId === undefined ? [] : [requestId]));
  const lines = new Map<string, CollectedEvidence['lines'][number]>();
  for (const id of [...about, ...requests]) {
    if (lines.size >= MOST_LINES) break;
    for (const line of rig.logLines(id)) lines.set(JSON.stringify(line), line);
  }
  const byTime = [...lines.values()].sort((a, b) => (a.time ?? '').localeCompare(b.time ?? ''));
  return { operations, lines: byTime.slice(0, MOST_LINES) };
}

function concerns({ requestId, key, object, client, input, value }: Operation, about: Set<string>): boolean {
  if ([requestId, key, object, client].some((id) => id !== undefined && about.has(id))) return true;
  const said = JSON.stringify([input, value]);
  return [...about].some((id) => said.includes(JSON.stringify(id)));
}
