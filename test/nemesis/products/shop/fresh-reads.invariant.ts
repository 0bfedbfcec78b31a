import { successes } from '../../invariants/attempts.ts';
import type { Evidence, Verdict } from '../../invariant.ts';
import type { Judged } from './evidence.ts';

export const statement =
  'What was acknowledged is in every later read, list and export, once, and nothing else is; every export is made';

export function check({ history, final }: Judged): Verdict {
  const orders = new Map(final.orders.map((order) => [order.id, order]));
  const acknowledged = successes<{ id: string }>(history, 'order').flatMap(
    ({ value: { id }, completedAt }) => {
      const order = orders.get(id);
      return order ? [{ id, userId: order.userId, completedAt: completedAt! }] : [];
    },
  );
  const violations: Evidence[] = [];
  const report = (what: string, ...about: (string | undefined)[]): void =>
    void violations.push({ what, about: about.filter((one) => one !== undefined) });

  const reads = history.filter(({ kind, status }) => kind === 'read-order' && status !== undefined);
  for (const { at, object, status, requestId } of reads)
    if (status === 404) report(`${at} does not find the acknowledged order ${object}`, object, requestId);

  const lists = successes<string[]>(history, 'list-orders');
  for (const { id: operation, object, value, invokedAt, input, requestId } of lists) {
    const listed = new Set(value);
    if (listed.size < value.length) report(`A list names an order twice (operation ${operation})`, requestId);
    const oldest = value.length < (input as { limit: number }).limit ? '' : (value.toSorted()[0] ?? '');
    for (const { id, userId, completedAt } of acknowledged)
      if (userId === object && completedAt < invokedAt && id > oldest && !listed.has(id))
        report(`A list lacks the acknowledged order ${id} (operation ${operation})`, id, requestId);
    for (const id of value)
      if (!orders.has(id)) report(`A list has ${id}, which does not exist`, id, requestId);
  }

  const requested = new Map(successes<string>(history, 'export').map((done) => [done.value, done]));
  const files = successes<string>(history, 'download');
  const contents = new Map<string, string>();
  for (const { object, value, requestId } of files) {
    const request = requested.get(object!);
    if (!request) continue;
    const rows = value.split('\r\n').slice(1, -1);
    const ids = new Set(rows.map((row) => row.split(',')[0]!));
    if (!value.endsWith('\r\n')) report(`The file of export ${object} ends within a line`, object, requestId);
    if (ids.size < rows.length) report(`The file of export ${object} has an order twice`, object, requestId);
    if ((contents.get(object!) ?? value) !== value)
      report(`The file of export ${object} has changed`, object, requestId);
    contents.set(object!, value);
    for (const { id, userId, completedAt } of acknowledged)
      if (userId === request.object && completedAt < request.invokedAt && !ids.has(id))
        report(`The file of export ${object} lacks the order ${id}`, object, id);
    for (const id of ids)
      if (orders.get(id)?.userId !== request.object)
        report(`The file of export ${object} has the order ${id} of another`, object, id);
  }
  for (const { id, status } of final.exports)
    if (status !== 'completed') report(`The export ${id} is ${status}`, id);
  return {
    counted: `${reads.length} reads, ${lists.length} lists, ${files.length} files of ${final.exports.length} exports`,
    violations,
  };
}
