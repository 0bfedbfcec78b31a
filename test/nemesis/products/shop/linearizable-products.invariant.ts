import { changeOf, finalRead, judgeAccounts, type AccountCall } from '../../checker/judge-accounts.ts';
import type { Operation } from '../../history.ts';
import { attemptsByKey, isKept } from '../../invariants/attempts.ts';
import type { Verdict } from '../../invariant.ts';
import { orderWrites, ordersByNumber, type Judged, type WrittenOrder } from './evidence.ts';
import type { FinalOrder } from './final.ts';

export const statement =
  'The history of each product is linearizable: orders, cancellations, changes with If-Match, and their answers';

export function check(judged: Judged): Verdict {
  const { hot, products } = judged.final;
  return judgeAccounts(
    hot.map(({ id, name, stock: balance }) => {
      const last = products.find((product) => product.id === id)!;
      const read = finalRead({ ...last, balance: last.stock }, judged.history);
      return { id, initial: { balance, version: 1, name }, calls: [...callsOf(id, judged), read] };
    }),
  );
}

function callsOf(product: string, { history, final }: Judged): AccountCall[] {
  const attempts = attemptsByKey(history);
  const orders = ordersByNumber(final);
  const mine = orderWrites(final).filter((write) => write.product === product);
  const placed = mine.flatMap((write) =>
    placeOf(write, attempts.get(write.key) ?? [], orders.has(write.number)),
  );
  const cancels = Map.groupBy(
    history.filter(({ kind }) => kind === 'cancel'),
    ({ object }) => object,
  );
  const cancelled = final.orders
    .filter((order) => order.product === product && order.status === 'cancelled')
    .flatMap((order) => cancelOf(order, cancels.get(order.id) ?? []));
  const changes = history.filter(({ kind, object }) => kind === 'change' && object === product);
  return [...placed, ...cancelled, ...changes.flatMap(changeOf)];
}

function placeOf({ key, quantity }: WrittenOrder, attempts: Operation[], exists: boolean): AccountCall[] {
  if (attempts.length === 0) return [];
  const invokedAt = Math.min(...attempts.map((attempt) => attempt.invokedAt));
  const answer = attempts.filter(isKept).toSorted((a, b) => a.completedAt! - b.completedAt!)[0];
  const call = { input: { kind: 'move', amount: -quantity } as const, invokedAt, about: [key] };
  if (answer?.outcome === 'ok')
    return [{ ...call, output: { moved: true }, completedAt: answer.completedAt }];
  if (exists) return [{ ...call, output: { moved: true }, tookEffect: true }];
  if (answer?.code !== 'insufficient-stock') return [];
  const { available } = JSON.parse(answer.body!) as { available: number };
  return [{ ...call, output: { available }, completedAt: answer.completedAt }];
}

/** One of the attempts has cancelled it: the one that was told so, or else one that was not answered. */
function cancelOf({ id, quantity }: FinalOrder, attempts: Operation[]): AccountCall[] {
  const call = {
    input: { kind: 'move', amount: quantity } as const,
    output: { moved: true } as const,
    about: [id],
  };
  const told = attempts.find(({ outcome }) => outcome === 'ok');
  if (told) return [{ ...call, invokedAt: told.invokedAt, completedAt: told.completedAt }];
  const silent = attempts.filter(({ outcome }) => outcome === 'unknown').map(({ invokedAt }) => invokedAt);
  return silent.length === 0 ? [] : [{ ...call, invokedAt: Math.min(...silent), tookEffect: true }];
}
