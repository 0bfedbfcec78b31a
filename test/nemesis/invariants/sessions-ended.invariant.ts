import type { Operation } from '../history.ts';
import type { Verdict } from '../invariant.ts';
import type { Expected } from '../clients/sessions.ts';

export const statement = 'No token of a session that was logged out, or used by a thief, ever works again';

export function check({ history }: { history: readonly Operation[] }): Verdict {
  const tried = refreshesExpecting(history, 'rejected');
  return {
    counted: `${tried.filter(({ status }) => status === 401).length} rejected tokens`,
    violations: tried
      .filter(({ outcome }) => outcome === 'ok')
      .map(({ id, object, requestId }) => ({
        what: `${object} had ended, and yet one of its refresh tokens was accepted (operation ${id})`,
        about: [object, requestId].filter((one) => one !== undefined),
      })),
  };
}

export function refreshesExpecting(history: readonly Operation[], expected: Expected): Operation[] {
  return history.filter(
    ({ kind, input }) => kind === 'refresh' && (input as { expected: Expected }).expected === expected,
  );
}
