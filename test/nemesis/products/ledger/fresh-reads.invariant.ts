import type { Evidence, Verdict } from '../../invariant.ts';
import { amountOf, successes, type Judged } from './evidence.ts';

export const statement =
  'What was acknowledged is in every later read, list and statement, once, and nothing else is';

type Acknowledged = { id: string; from: string; completedAt: number };

export function check({ history, final }: Judged): Verdict {
  const stored = new Map(final.transfers.map((transfer) => [transfer.id, transfer]));
  const owners = new Map(final.opening.map(({ id, owner }) => [id, owner]));
  const acknowledged: Acknowledged[] = successes<{ id: string; from: string }>(history, 'transfer').map(
    ({ value: { id, from }, completedAt }) => ({ id, from, completedAt: completedAt! }),
  );
  const violations: Evidence[] = [];
  const report = (what: string, ...about: (string | undefined)[]): void =>
    void violations.push({ what, about: about.filter((one) => one !== undefined) });

  const reads = history.filter(({ kind, status }) => kind === 'read-transfer' && status !== undefined);
  for (const { object, status, requestId, at } of reads)
    if (status === 404) report(`${at} does not find the acknowledged transfer ${object}`, object, requestId);

  const lists = successes<string[]>(history, 'list-transfers').filter(({ object }) => object !== undefined);
  for (const { id: operation, object, value, invokedAt, input, requestId } of lists) {
    const { limit } = input as { limit: number };
    const listed = new Set(value);
    if (listed.size < value.length)
      report(`A list names a transfer twice (operation ${operation})`, requestId);
    const oldest = value.length < limit ? '' : (value.toSorted()[0] ?? '');
    for (const { id, from, completedAt } of acknowledged)
      if (completedAt < invokedAt && owners.get(from) === object && id > oldest && !listed.has(id))
        report(`A list lacks the acknowledged transfer ${id} (operation ${operation})`, id, requestId);
    for (const id of value)
      if (!stored.has(id))
        report(`A list has ${id}, which does not exist (operation ${operation})`, id, requestId);
  }

  const statements = successes<string>(history, 'statement');
  for (const { id: operation, object, value, invokedAt, requestId } of statements) {
    const rows = value.split('\r\n').slice(1, -1);
    if (!value.endsWith('\r\n'))
      report(`A statement ends within a line (operation ${operation})`, object, requestId);
    const ids = new Set(rows.map((row) => row.split(',')[0]!));
    if (ids.size < rows.length)
      report(`A statement has a transfer twice (operation ${operation})`, object, requestId);
    for (const { id, from, completedAt } of acknowledged)
      if (from === object && completedAt < invokedAt && !ids.has(id))
        report(`A statement lacks the acknowledged transfer ${id} (operation ${operation})`, id, requestId);
    for (const row of rows) {
      const [id, amount] = row.split(',');
      const transfer = stored.get(id!);
      if (!transfer || transfer.from !== object || amountOf(transfer) !== Number(amount))
        report(`A statement has "${row}", which is not so (operation ${operation})`, id, requestId);
    }
  }

  const names = new Set(final.payees.map(({ name }) => name));
  const added = successes<string>(history, 'payee');
  const payees = successes<string[]>(history, 'list-payees');
  for (const { id: operation, object, value, invokedAt, requestId } of payees) {
    const listed = new Set(value);
    for (const { input, completedAt, object: owner } of added) {
      const { name } = input as { name: string };
      if (owner === object && completedAt! < invokedAt && !listed.has(name))
        report(`A list lacks the payee ${name} (operation ${operation})`, requestId);
    }
    for (const name of value)
      if (!names.has(name)) report(`A list has the payee ${name}, who does not exist`, requestId);
  }
  return {
    counted: `${reads.length} reads, ${lists.length} lists, ${statements.length} statements, ${payees.length} lists of payees`,
    violations,
  };
}
