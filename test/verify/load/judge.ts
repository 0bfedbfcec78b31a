import type { Ending } from './connection.ts';
import type { Outcome } from './plan.ts';
import { headerOf } from './response-reader.ts';
import type { Answer } from './response-reader.ts';

export interface Judgement {
  outcome: Outcome;
  status: number;
  location?: string;
  /** `code` of the problem document of a refusal. */
  code?: string;
  /** The reason of the failure. */
  detail?: string;
}

/**
 * Success, proper refusal or failure. The rules hold for every answer of every scenario: an answer that is not 2xx is a problem
 * document, and a 503 or 429 says when to retry.
 * @param expected statuses that count as success besides 2xx
 */
export function judge(ending: Ending, expected: ReadonlySet<number>): Judgement {
  if (ending.kind !== 'answer') return { outcome: ending.kind, status: 0, detail: ending.detail };
  const { status, head } = ending.answer;
  const success = status < 300 || expected.has(status);
  if (success && status < 400) return { outcome: 'ok', status, location: headerOf(head, 'location') };
  const fault = faultOf(ending.answer);
  if (fault) return { outcome: 'unexpected', status, detail: `${fault}: ${excerpt(ending.answer)}` };
  if (success) return { outcome: 'ok', status };
  if (status === 503 || status === 429) return { outcome: 'refused', status, code: codeOf(ending.answer) };
  return { outcome: 'unexpected', status, detail: excerpt(ending.answer) };
}

/** The problem with the form of an answer that is not 2xx. */
function faultOf({ status, head }: Answer): string | undefined {
  if (status === 304) return undefined;
  const type = headerOf(head, 'content-type') ?? 'no content type';
  if (!type.startsWith('application/problem+json')) return `not a problem document but ${type}`;
  const mustSayWhen = status === 503 || status === 429;
  if (mustSayWhen && !/^\d+$/.test(headerOf(head, 'retry-after') ?? '')) return 'no Retry-After';
  return undefined;
}

function codeOf({ body }: Answer): string {
  return /"code":"([\w-]+)"/.exec(body.toString('latin1'))?.[1] ?? 'unknown';
}

function excerpt({ status, body }: Answer): string {
  return `${status} ${body.toString('utf8').slice(0, 300)}`;
}
