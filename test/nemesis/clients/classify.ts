import type { Operation } from '../history.ts';
import type { Answer } from './send.ts';

/** Codes of a 503 that promise that nothing has happened (docs/problems.md). */
const NOTHING_HAPPENED = new Set([
  'backlog-full',
  'busy',
  'database-saturated',
  'temporary-reduced-capacity',
  // Of the ledger and of the shop: "nothing was paid", "nothing was charged".
  'withdrawal-too-late',
  'payment-provider-unavailable',
  'payment-too-late',
]);

export type Classified = Pick<Operation, 'outcome' | 'status' | 'code' | 'malformed' | 'requestId'>;

/** What an answer means for its client, and whether its form follows the rules that hold for every answer. */
export function classify(answer: Answer): Classified {
  const { status, headers } = answer;
  const code = status < 400 ? undefined : codeOf(answer);
  const requestId = headers['x-request-id'] as string | undefined;
  const malformed = faultOf(answer, code);
  const refused = (status >= 400 && status < 500) || (status === 503 && NOTHING_HAPPENED.has(code ?? ''));
  const outcome = status < 400 ? 'ok' : refused ? 'refused' : 'unknown';
  return {
    outcome,
    status,
    ...(code !== undefined && { code }),
    ...(malformed !== undefined && { malformed }),
    ...(requestId !== undefined && { requestId }),
  };
}

/** Seconds that a refusal asks its client to wait; 1 where it asks for nothing. */
export function retryAfterOf({ headers }: Answer): number {
  return Number(headers['retry-after'] ?? 1);
}

function faultOf(answer: Answer, code: string | undefined): string | undefined {
  const { status, headers } = answer;
  if (status < 400) return undefined;
  if (status >= 500 && status !== 503) return `a ${status}`;
  const type = headers['content-type'] ?? 'no content type';
  if (!type.startsWith('application/problem+json')) return `not a problem document but ${type}`;
  if (code === undefined) return 'a problem document without a code';
  if ((status === 503 || status === 429) && !/^\d+$/.test(headers['retry-after'] ?? ''))
    return 'no Retry-After';
  return undefined;
}

function codeOf({ text }: Answer): string | undefined {
  try {
    const { code } = JSON.parse(text) as { code?: unknown };
    return typeof code === 'string' ? code : undefined;
  } catch {
    return undefined;
  }
}
