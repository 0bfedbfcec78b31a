import type { Evidence, Verdict } from '../../invariant.ts';
import { APIS, WORKERS } from '../../rig.ts';
import { AFTERWARDS } from './afterwards.ts';
import { attemptsByKey, isKept, type Judged } from './evidence.ts';

export const statement =
  'When everything is whole again every api serves reads and writes, every worker handles events, and every key gets its answer';

const KINDS = ['transfer', 'read-account', 'list-transfers'];

export function check({ history, final }: Judged): Verdict {
  const mine = history.filter(({ client }) => client === AFTERWARDS);
  const violations: Evidence[] = [];
  for (const at of APIS)
    for (const kind of KINDS)
      if (!mine.some((operation) => operation.at === at && operation.kind === kind && isServed(operation)))
        violations.push({
          what: `${at} never answered a ${kind} after everything was whole again`,
          about: [],
        });
  for (const worker of WORKERS)
    if (!final.workersAtWork.includes(worker))
      violations.push({ what: `${worker} handled nothing after everything was whole again`, about: [] });
  for (const at of final.refusing)
    violations.push({
      what: `${at} went on refusing some of many writes at once after everything was whole again`,
      about: mine
        .filter((one) => one.at === at && one.status === 503)
        .map(({ requestId }) => requestId ?? '')
        .slice(-3),
    });
  const attempts = attemptsByKey(history);
  for (const { key, settled } of final.writes) {
    const answered = (attempts.get(key) ?? []).some(isKept);
    if (!settled && !answered) violations.push({ what: `The key ${key} never got an answer`, about: [key] });
  }
  return { counted: `${mine.length} operations afterwards, ${final.writes.length} keys`, violations };
}

function isServed(operation: Judged['history'][number]): boolean {
  return isKept(operation);
}
