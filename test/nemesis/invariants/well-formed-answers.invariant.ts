import type { Aftermath, Verdict } from '../invariant.ts';

export const statement =
  'No answer is a 5xx other than 503; every refusal is a problem document, and a 503 or 429 says when to retry';

export function check({ history }: Pick<Aftermath, 'history'>): Verdict {
  const answered = history.filter(({ status }) => status !== undefined);
  const refusals = answered.filter(({ status }) => status! >= 400);
  return {
    counted: `${answered.length} answers, ${refusals.length} of them refusals`,
    violations: answered
      .filter(({ malformed }) => malformed !== undefined)
      .map(({ id, kind, at, status, malformed, requestId }) => ({
        what: `Operation ${id} (${kind} at ${at}) was answered ${status}: ${malformed}`,
        about: requestId ? [requestId] : [],
      })),
  };
}
