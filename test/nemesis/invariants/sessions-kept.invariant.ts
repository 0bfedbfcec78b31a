import type { Operation } from '../history.ts';
import type { Verdict } from '../invariant.ts';
import { refreshesExpecting } from './sessions-ended.invariant.ts';

export const statement =
  'A client that sends the same refresh again after a 503, or when no answer came, is never logged out';

export function check({ history }: { history: readonly Operation[] }): Verdict {
  const tried = refreshesExpecting(history, 'accepted');
  const repeated = new Map<string, number>();
  for (const { object, input } of tried) {
    const token = `${object} ${(input as { token: number }).token}`;
    repeated.set(token, (repeated.get(token) ?? 0) + 1);
  }
  const retried = [...repeated.values()].filter((times) => times > 1).length;
  return {
    counted: `${tried.length} refreshes, ${retried} of them retried`,
    violations: tried
      .filter(({ status }) => status !== undefined && status >= 400 && status < 500 && status !== 429)
      .map(({ id, object, at, status, code, requestId }) => ({
        what: `${object} was logged out: ${at} answered its refresh ${status} ${code} (operation ${id})`,
        about: [object, requestId].filter((one) => one !== undefined),
      })),
  };
}
